/* worker/workflow/spec/workflow.md §8. */
#include "workflow/authoring/check/check_parameters.h"

#include "workflow/authoring/check/check_value.h"
#include "workflow/authoring/check/spelling.h"
#include "workflow/authoring/names.h"
#include "workflow/base/mem.h"

#define BOUND "|projectId|platform|id"

static const struct {
    const char *queries, *parameters;
} parameters[] = {
    { "check_user_by_platform|check_user_by_telegram",
      "telegramId|maxId|phone|email" BOUND },
    { "check_user_by_contact", "phone|email|telegramId|maxId" BOUND },
    { "create_user", "phone|email|telegramId|maxId|username|firstName|lastName" BOUND },
    { "activate_user", "userId|telegramId|telegramUsername|phone" BOUND },
    { "update_user", "userId|data|phone|email|firstName|lastName" BOUND },
    { "update_user_contact", "telegramId|phone|email" BOUND },
    { "update_user_birthday", "userId|birthDate" BOUND },
    { "update_user_metadata", "userId|metadata" BOUND },
    { "add_bonus", "userId|amount|type|description|expiresAt" BOUND },
    { "spend_bonus", "userId|amount|description" BOUND },
    { "get_transactions", "userId|limit" BOUND },
    { "get_user_balance|get_user_stats|get_user_profile|get_referral_link|"
      "check_welcome_bonus|get_user_metadata",
      "userId" BOUND },
};

void wf_check_parameters(const struct wf_site *site, const char *field,
                         const json_t *value, const char *arg)
{
    const char *query = wf_member(site->node->config, "query", "");

    wf_check_object(site, field, value, arg);
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        json_t *queries = wf_words(parameters[i].queries);

        if (json_is_object(value) && wf_words_have(queries, query))
            wf_check_spelling(site, field, value, parameters[i].parameters);
        json_decref(queries);
    }
}
