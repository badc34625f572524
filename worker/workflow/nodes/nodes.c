#include "workflow/nodes/nodes.h"

#include <string.h>

static const struct wf_node_handler handlers[] = {
    { "trigger.command", "Command trigger", false, wf_start_trigger },
    { "trigger.message", "Message trigger", false, wf_start_trigger },
    { "trigger.callback", "Callback trigger", false, wf_start_trigger },
    { "trigger.contact", "Contact trigger", false, wf_start_trigger },
    { "trigger.schedule", "Schedule trigger", false, wf_start_trigger },
    { "trigger.webhook", "Webhook trigger", false, wf_start_trigger },
    { "message", "Message", false, wf_start_message },
    { "message.keyboard.inline", "Inline keyboard", true, wf_start_message },
    { "message.keyboard.reply", "Reply keyboard", true, wf_start_message },
    { "message.photo", "Photo message", true, wf_start_media },
    { "message.video", "Video message", true, wf_start_media },
    { "message.document", "Document message", true, wf_start_media },
    { "message.edit", "Edit message", true, wf_start_edit },
    { "message.delete", "Delete message", true, wf_start_delete },
    { "condition", "Condition", true, wf_start_condition },
    { "flow.switch", "Switch", true, wf_start_switch },
    { "flow.loop", "Loop", true, wf_start_loop },
    { "flow.delay", "Delay", true, wf_start_delay },
    { "flow.wait", "Wait", true, wf_start_wait },
    { "flow.sub_workflow", "Sub-workflow", true, wf_start_sub_workflow },
    { "flow.jump", "Jump", false, wf_start_jump },
    { "flow.end", "End", false, wf_start_end },
    { "action.set_variable", "Set variable", true, wf_start_set_variable },
    { "action.get_variable", "Get variable", true, wf_start_get_variable },
    { "action.request_contact", "Request contact", false, wf_start_request_contact },
    { "action.get_user_balance", "Get user balance", false, wf_start_user_balance },
    { "action.link_telegram_account", "Link Telegram account", true,
      wf_start_link_account },
    { "action.check_user_linked", "Check user linked", true, wf_start_check_linked },
    { "action.find_user_by_contact", "Find user by contact", true, wf_start_find_user },
    { "action.check_channel_subscription", "Check channel subscription", true,
      wf_start_check_channel },
    { "action.menu_command", "Menu command", true, wf_start_menu },
    { "action.partner_home", "Partner home", false, wf_start_partner_home },
    { "action.partner_team", "Partner team", false, wf_start_partner_team },
    { "action.partner_subject_stats", "Partner subject stats", false,
      wf_start_partner_subject },
    { "action.partner_payouts", "Partner payouts", false, wf_start_partner_payouts },
    { "action.partner_link", "Partner link", false, wf_start_partner_link },
    { "action.partner_org_summary", "Partner organisation summary", false,
      wf_start_partner_organization },
    { "action.api_request", "API request", true, wf_start_api_request },
    { "action.send_notification", "Notification", true, wf_start_notification },
    { "integration.webhook", "Webhook integration", true, wf_start_webhook },
    { "integration.analytics", "Analytics integration", true, wf_start_analytics },
    { "action.database_query", "Database query", true, wf_start_query },
};

const struct wf_node_handler *wf_nodes_find(const char *type)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (strcmp(handlers[i].type, type) == 0)
            return &handlers[i];
    }
    return NULL;
}

const struct wf_node_handler *wf_nodes_at(size_t index)
{
    return index < sizeof(handlers) / sizeof(handlers[0]) ? &handlers[index] : NULL;
}
