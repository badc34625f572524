#include "workflow/language/node_type.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *alias, *type;
} aliases[] = {
    { "start", "trigger.command" },
    { "message.text", "message" },
    { "flow.condition", "condition" },
};

static const char *const types[] = {
    "trigger.command",
    "trigger.message",
    "trigger.callback",
    "trigger.contact",
    "trigger.schedule",
    "trigger.webhook",
    "message",
    "message.keyboard.inline",
    "message.keyboard.reply",
    "message.photo",
    "message.video",
    "message.document",
    "message.edit",
    "message.delete",
    "action.database_query",
    "action.set_variable",
    "action.get_variable",
    "action.request_contact",
    "action.api_request",
    "action.send_notification",
    "action.check_user_linked",
    "action.find_user_by_contact",
    "action.link_telegram_account",
    "action.get_user_balance",
    "action.check_channel_subscription",
    "action.menu_command",
    "condition",
    "flow.switch",
    "flow.delay",
    "flow.loop",
    "flow.sub_workflow",
    "flow.jump",
    "flow.end",
    "flow.wait",
    "integration.webhook",
    "integration.analytics",
};

const char *wf_node_type_resolve(const char *type)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(type, aliases[i].alias) == 0)
            return aliases[i].type;
    return type;
}

bool wf_node_type_known(const char *type)
{
    const char *resolved = wf_node_type_resolve(type);

    if (strncmp(resolved, "action.partner_", strlen("action.partner_")) == 0)
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(resolved, types[i]) == 0)
            return true;
    return false;
}
