/* The fields of each node type: spec/workflow.md §5. One row a field. The texts for what
 * is missing are those the engine fails with, where it does. */
#include "workflow/authoring/check.h"

#define ASSIGN(type)                                                                     \
    {                                                                                    \
        type, "assignTo|saveToVariable|resultVariable", wf_check_text, NULL, NULL, NULL  \
    }
#define MODE(type)                                                                       \
    {                                                                                    \
        type, "parseMode|parse_mode", wf_check_one_of, "HTML|Markdown|MarkdownV2", NULL, \
            NULL                                                                         \
    }
#define FLAG(type, names)                                                                \
    {                                                                                    \
        type, names, wf_check_flag, NULL, NULL, NULL                                     \
    }
#define OPTIONAL(type, names, check)                                                     \
    {                                                                                    \
        type, names, check, NULL, NULL, NULL                                             \
    }
#define REQUIRED(type, names, check, missing)                                            \
    {                                                                                    \
        type, names, check, NULL, missing, NULL                                          \
    }
#define WORDS(type, names, words)                                                        \
    {                                                                                    \
        type, names, wf_check_one_of, words, NULL, NULL                                  \
    }
#define NUMBER(type, names, range)                                                       \
    {                                                                                    \
        type, names, wf_check_number, range, NULL, NULL                                  \
    }

#define SCOPES       "session|user|project|global"
#define NEVER        "is missing: the trigger never matches"
#define PATTERN_WHEN "matchType=regex|"
#define NO_CRON      "is missing: the trigger never fires"

const struct wf_field wf_fields[] = {
    /* §5.1 triggers */
    REQUIRED("trigger.command", "command", wf_check_literal, NEVER),
    { "trigger.message", "pattern", wf_check_pattern, NULL, NULL, PATTERN_WHEN },
    WORDS("trigger.message", "matchType", "exact|contains|regex"),
    FLAG("trigger.message", "caseSensitive"),
    REQUIRED("trigger.callback", "callbackData|data", wf_check_literal, NEVER),
    { "trigger.callback", "callbackData|data", wf_check_pattern, NULL, NULL,
      "matchType=regex" },
    WORDS("trigger.callback", "matchType", "exact|starts_with|regex"),
    REQUIRED("trigger.schedule", "cron", wf_check_cron, NO_CRON),
    OPTIONAL("trigger.schedule", "timezone", wf_check_zone),
    REQUIRED("trigger.schedule", "audience", wf_check_audience, NO_CRON),
    WORDS("trigger.schedule", "dedupeWindow", "year|month|week|day|none"),

    /* §5.2 messages; their keyboards: check_keyboard.c */
    REQUIRED("message", "text", wf_check_text,
             "is missing: a text that says so would be sent"),
    MODE("message"),
    FLAG("message", "waitForInput"),
    FLAG("message", "disable_web_page_preview|disablePreview"),
    FLAG("message", "disable_notification"),
    ASSIGN("message"),
    WORDS("message", "onUnknown", "resend|drop|mark"),
    REQUIRED("message.keyboard.inline", "text", wf_check_text,
             "is missing: a text that says so would be sent"),
    MODE("message.keyboard.inline"),
    FLAG("message.keyboard.inline", "disable_web_page_preview|disablePreview"),
    REQUIRED("message.keyboard.reply", "text", wf_check_text,
             "is missing: a text that says so would be sent"),
    MODE("message.keyboard.reply"),
    REQUIRED("message.photo", "photo", wf_check_text, "is missing"),
    OPTIONAL("message.photo", "caption", wf_check_text),
    MODE("message.photo"),
    FLAG("message.photo", "disable_notification"),
    REQUIRED("message.video", "video", wf_check_text, "is missing"),
    OPTIONAL("message.video", "caption", wf_check_text),
    MODE("message.video"),
    NUMBER("message.video", "duration", NULL),
    NUMBER("message.video", "width", NULL),
    NUMBER("message.video", "height", NULL),
    OPTIONAL("message.video", "thumbnail", wf_check_text),
    FLAG("message.video", "disable_notification"),
    REQUIRED("message.document", "document", wf_check_text, "is missing"),
    OPTIONAL("message.document", "caption", wf_check_text),
    OPTIONAL("message.document", "thumbnail", wf_check_text),
    MODE("message.document"),
    FLAG("message.document", "disable_notification"),
    OPTIONAL("message.edit", "message_id|messageId", wf_check_text),
    REQUIRED("message.edit", "text", wf_check_text, "is missing"),
    MODE("message.edit"),
    OPTIONAL("message.delete", "message_id|messageId", wf_check_text),

    /* §5.3.1, §5.3.2 queries and variables */
    REQUIRED("action.database_query", "query", wf_check_query, "Query type is required"),
    OPTIONAL("action.database_query", "parameters|params", wf_check_object),
    OPTIONAL("action.database_query", "resultMapping", wf_check_object),
    ASSIGN("action.database_query"),
    REQUIRED("action.set_variable", "variableName|name", wf_check_text,
             "Variable name is required"),
    OPTIONAL("action.set_variable", "variableValue|value", wf_check_any),
    WORDS("action.set_variable", "scope", SCOPES),
    NUMBER("action.set_variable", "ttl", NULL),
    REQUIRED("action.get_variable", "variableName|name", wf_check_text,
             "Variable name is required"),
    OPTIONAL("action.get_variable", "defaultValue|default", wf_check_any),
    WORDS("action.get_variable", "scope", SCOPES),
    ASSIGN("action.get_variable"),

    /* §5.3.3 – §5.3.5 */
    OPTIONAL("action.request_contact", "text", wf_check_text),
    OPTIONAL("action.request_contact", "buttonText", wf_check_text),
    REQUIRED("action.api_request", "url", wf_check_url, "API request URL is required"),
    OPTIONAL("action.api_request", "method", wf_check_method),
    OPTIONAL("action.api_request", "headers", wf_check_object),
    OPTIONAL("action.api_request", "body", wf_check_any),
    NUMBER("action.api_request", "timeout", NULL),
    OPTIONAL("action.api_request", "responseMapping", wf_check_object),
    ASSIGN("action.api_request"),
    WORDS("action.send_notification", "notificationType|channel",
          "telegram|email|webhook"),
    OPTIONAL("action.send_notification", "recipient", wf_check_text),
    { "action.send_notification", "recipient", wf_check_url, NULL,
      "Webhook URL is required", "notificationType=webhook" },
    { "action.send_notification", "recipient", wf_check_url, NULL,
      "Webhook URL is required", "channel=webhook" },
    OPTIONAL("action.send_notification", "template|message", wf_check_text),
    OPTIONAL("action.send_notification", "templateData", wf_check_any),

    /* §5.3.6 customers */
    REQUIRED("action.check_user_linked", "userIdentifier|telegramUserId", wf_check_text,
             "userIdentifier is required"),
    ASSIGN("action.check_user_linked"),
    WORDS("action.find_user_by_contact", "contactType", "phone|email"),
    REQUIRED("action.find_user_by_contact", "contactValue", wf_check_text,
             "contactValue is required"),
    ASSIGN("action.find_user_by_contact"),
    WORDS("action.link_telegram_account", "contactType", "phone|email"),
    REQUIRED("action.link_telegram_account", "contactValue|userId", wf_check_text,
             "contactValue or userId is required"),
    OPTIONAL("action.link_telegram_account", "telegramId|telegramUserId", wf_check_text),
    OPTIONAL("action.link_telegram_account", "telegramUsername", wf_check_text),
    OPTIONAL("action.get_user_balance", "userId", wf_check_text),
    ASSIGN("action.get_user_balance"),
    REQUIRED("action.check_channel_subscription", "channelId", wf_check_text,
             "Channel ID is required"),
    OPTIONAL("action.check_channel_subscription", "userId", wf_check_text),
    OPTIONAL("action.check_channel_subscription", "requiredStatus", wf_check_array),
    ASSIGN("action.check_channel_subscription"),
    { "action.menu_command", "command", wf_check_one_of,
      "menu_balance|menu_history|menu_level|menu_referrals|menu_invite|menu_purchases|"
      "menu_help",
      "is missing", NULL },

    /* appendix A */
    NUMBER("action.partner_team", "pageSize", "1 20"),
    NUMBER("action.partner_team", "page", NULL),
    WORDS("action.partner_team", "filter", "direct|clients|partners|all"),
    OPTIONAL("action.partner_team", "organizationId", wf_check_text),
    REQUIRED("action.partner_subject_stats", "subjectUserId", wf_check_text,
             "partner_subject_stats: subjectUserId is required"),
    NUMBER("action.partner_payouts", "limit", "1 50"),
    OPTIONAL("action.partner_link", "additionalParams", wf_check_object),
    NUMBER("action.partner_org_summary", "topLimit", "1 20"),

    /* §7.1 condition */
    OPTIONAL("condition", "expression|expr", wf_check_expression),
    { "condition", "variable|leftOperand", wf_check_operand, NULL,
      "Variable is required for simple condition", "!expression|expr" },
    { "condition", "operator", wf_check_operator, NULL, "is missing",
      "!expression|expr" },
    OPTIONAL("condition", "value|rightOperand", wf_check_any),
    FLAG("condition", "caseSensitive"),

    /* §5.5, §5.6 flow */
    REQUIRED("flow.switch", "variable", wf_check_operand,
             "Variable is required for switch"),
    OPTIONAL("flow.switch", "cases", wf_check_cases),
    FLAG("flow.switch", "hasDefault"),
    REQUIRED("flow.delay", "delayMs|variableDelay", wf_check_any, "Invalid delay value"),
    NUMBER("flow.delay", "delayMs", "0 86400000"),
    OPTIONAL("flow.delay", "variableDelay", wf_check_text),
    WORDS("flow.loop", "type", "count|foreach|while"),
    NUMBER("flow.loop", "maxIterations", NULL),
    { "flow.loop", "count|iterations", wf_check_number, NULL,
      "Count must be a non-negative number", "type=count|" },
    { "flow.loop", "array", wf_check_operand, NULL,
      "Array variable name is required for foreach loop", "type=foreach" },
    { "flow.loop", "condition", wf_check_expression, NULL,
      "Condition is required for while loop", "type=while" },
    OPTIONAL("flow.loop", "breakCondition", wf_check_expression),
    REQUIRED("flow.sub_workflow", "workflowId", wf_check_text,
             "Sub-workflow ID is required"),
    NUMBER("flow.sub_workflow", "version", "1"),
    OPTIONAL("flow.sub_workflow", "inputMapping", wf_check_object),
    OPTIONAL("flow.sub_workflow", "outputMapping", wf_check_object),
    REQUIRED("flow.jump", "targetNodeId", wf_check_target, "is missing: nothing happens"),
    OPTIONAL("flow.jump", "condition", wf_check_expression),
    FLAG("flow.end", "success"),
    OPTIONAL("flow.end", "message", wf_check_text),
    { "flow.wait", "waitFor", wf_check_one_of, "contact|input|callback", "is missing",
      NULL },
    NUMBER("flow.wait", "timeout", NULL),
    OPTIONAL("flow.wait", "timeoutMessage", wf_check_text),

    /* §5.7 integrations */
    REQUIRED("integration.webhook", "url", wf_check_url, "Webhook URL is required"),
    OPTIONAL("integration.webhook", "method", wf_check_method),
    OPTIONAL("integration.webhook", "headers", wf_check_object),
    OPTIONAL("integration.webhook", "body", wf_check_any),
    NUMBER("integration.webhook", "timeout", NULL),
    NUMBER("integration.webhook", "retries", NULL),
    REQUIRED("integration.analytics", "event", wf_check_text,
             "Analytics event name is required"),
    OPTIONAL("integration.analytics", "properties", wf_check_any),
};

const size_t wf_field_count = sizeof(wf_fields) / sizeof(wf_fields[0]);
