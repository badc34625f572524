/* What an operator may set for the workflow engine: the configuration's "workflow"
 * object. Appendix C. Constant after parsing; texts are owned by the struct. */
#ifndef WORKFLOW_SETTINGS_H
#define WORKFLOW_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/error.h>

/* member, key, default, least, greatest, unit, help */
#define WF_NUMBER_SETTINGS(X)                                                            \
    X(max_visits, "run.max_visits", 100, 1, 1000000, NULL,                               \
      "times a run may come to one node")                                                \
    X(default_max_steps, "run.default_max_steps", 200, 1, 1000000, NULL,                 \
      "nodes a run may go through where its workflow sets no limit")                     \
    X(reuse_seconds, "session.reuse_seconds", 86400, 0, 604800, "seconds",               \
      "age up to which an execution takes up a next event")                              \
    X(ttl_user_variables, "cache.ttl.user_variables", 120, 1, 86400, "seconds",          \
      "life of the cached variables of a person")                                        \
    X(ttl_user_profile, "cache.ttl.user_profile", 30, 1, 86400, "seconds",               \
      "life of a cached profile")                                                        \
    X(ttl_waiting, "cache.ttl.waiting", 300, 1, 86400, "seconds",                        \
      "life of a cached wait")                                                           \
    X(ttl_version, "cache.ttl.version", 3600, 1, 86400, "seconds",                       \
      "life of a cached version of a workflow")                                          \
    X(memory_entries, "cache.memory_entries", 10000, 16, 10000000, NULL,                 \
      "entries kept in memory beside Redis")                                             \
    X(limit_user, "ratelimit.user", 100, 1, 1000000, NULL,                               \
      "events of a person taken a minute")                                               \
    X(limit_bot, "ratelimit.bot", 10, 1, 1000000, NULL, "messages of a bot a second")    \
    X(limit_group, "ratelimit.group", 20, 0, 1000000, NULL,                              \
      "messages to a group a minute; 0: no limit")                                       \
    X(chat_space_ms, "ratelimit.chat_ms", 0, 0, 60000, "ms",                             \
      "space between two messages to a chat")                                            \
    X(broadcast_percent, "ratelimit.broadcast_percent", 70, 1, 100, "percent",           \
      "share of the bot's limit that scheduled runs may take")                           \
    X(limit_channel_check, "ratelimit.channel_check", 30, 1, 1000000, NULL,              \
      "membership checks of a bot a second")                                             \
    X(limit_api, "ratelimit.api", 60, 1, 1000000, NULL,                                  \
      "requests of a project a minute")                                                  \
    X(http_max_body, "http.max_body", 5242880, 1, 1073741824, "bytes",                   \
      "longest answer of a request")                                                     \
    X(http_timeout_ms, "http.default_timeout_ms", 30000, 1, 600000, "ms",                \
      "time of a request whose node sets none")                                          \
    X(lock_ttl_ms, "lock.ttl_ms", 10000, 100, 600000, "ms",                              \
      "life of a lock whose holder has died")                                            \
    X(chat_wait_ms, "lock.chat_wait_ms", 5000, 0, 600000, "ms",                          \
      "longest wait for another event of the same chat")                                 \
    X(spend_wait_ms, "lock.spend_wait_ms", 3000, 0, 600000, "ms",                        \
      "longest wait for another purchase of the same person")                            \
    X(bot_wait_ms, "telegram.throttle_wait_ms", 5000, 0, 600000, "ms",                   \
      "longest wait for a turn to send; what would take longer is delayed")              \
    X(token_patience, "telegram.token_patience", 3600, 0, 31536000, "seconds",           \
      "time after which a message is given up while the bot's token is refused")         \
    X(db_timeout_ms, "database.timeout_ms", 10000, 100, 600000, "ms",                    \
      "longest time of a batch of statements")

/* member, key, default, help */
#define WF_SWITCH_SETTINGS(X)                                                            \
    X(escape, "template.escape", true,                                                   \
      "values in templates are escaped for the message's markup")                        \
    X(expose_secrets, "template.expose_secrets", false,                                  \
      "templates may read tokens and webhook secrets")                                   \
    X(require_own_contact, "contact.require_own", true,                                  \
      "a contact counts only from the one whose it is")                                  \
    X(accept_typed_phone, "contact.accept_typed_phone", true,                            \
      "a typed phone number counts as a contact")                                        \
    X(node_compat, "cache.node_compat", true,                                            \
      "keep the Node service's cache keys up to date")                                   \
    X(answer_callback, "telegram.answer_callback", true, "answer callback queries")      \
    X(http_private, "http.allow_private", false, "requests may go to private addresses") \
    X(scan, "schedule.scan", false,                                                      \
      "look each minute for workflows whose schedule is due")

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define WF_TEXT_SETTINGS(X) \
    X(timezone, "format.timezone", "Europe/Moscow", \
      "time zone of dates where nothing else is known") \
    X(unknown_sends, "telegram.unknown_sends", "resend", \
      "a message that may or may not have been sent: resend, drop, mark") \
    X(group_personal, "group.personal", "private", \
      "what tells of a customer in a group: private, chat, drop") \
    X(queue_delays, "queue.delays", "workflow-delays", \
      "queue of what goes on later") \
    X(http_domains, "http.allowed_domains", "", \
      "domains that requests may go to, with commas; empty: API_REQUEST_ALLOWED_DOMAINS") \
    X(long_date_sep, "format.long_date_sep", " в ", \
      "between date and time in long dates") \
    X(key_user_variables, "cache.key.user_variables", \
      "user:{userId}:{projectId}:variables", \
      "cache key of a person's variables") \
    X(key_user_profile, "cache.key.user_profile", "user:{userId}:{projectId}:profile", \
      "cache key of a profile") \
    X(key_waiting, "cache.key.waiting", "workflow:waiting:{sessionId}", \
      "cache key of a wait") \
    X(key_version, "cache.key.version", "workflow:version:{projectId}:{workflowId}", \
      "cache key of a version") \
    X(key_node_user_variables, "cache.key.node_user_variables", \
      "workflow:user-variables:{projectId}:{userId}", \
      "the Node service's key of a person's variables") \
    X(key_node_user_profile, "cache.key.node_user_profile", \
      "workflow:user-profile:{userId}", \
      "the Node service's key of a profile") \
    X(key_node_waiting, "cache.key.node_waiting", \
      "workflow:execution:waiting:{projectId}:{chatId}:{waitType}", \
      "the Node service's key of a wait") \
    X(key_node_version, "cache.key.node_active_version", \
      "project:{projectId}:workflow:active-version", \
      "the Node service's key of a version") \
    X(text_limited, "messages.rate_limited", \
      "⚠️ Слишком много запросов. Пожалуйста, подождите немного " \
      "перед следующим запросом.", \
      "too many events") \
    X(text_customer_required, "messages.customer_required", \
      "❌ Для использования меню необходимо привязать аккаунт. Введите /start для " \
      "начала.", \
      "a menu without a customer") \
    X(text_foreign_contact, "messages.foreign_contact", \
      "⚠️ Отправьте, пожалуйста, свой контакт " \
      "кнопкой ниже.", \
      "somebody else's contact") \
    X(text_email_prompt, "messages.email_prompt", \
      "📧 Введите ваш email адрес:\n\nНапример: example@mail.ru", \
      "asks for an address") \
    X(text_email_invalid, "messages.email_invalid", \
      "❌ Неверный формат email. Пример: example@mail.ru\n\n📧 Пожалуйста, введите " \
      "корректный email адрес:\nНапример: example@mail.ru", \
      "what was typed is no address") \
    X(text_birth_date, "messages.invalid_birth_date", \
      "❌ Не получилось разобрать дату рождения. Напишите её так: 31.12.1990", \
      "what was typed is no date") \
    X(text_contact_taken, "messages.contact_taken", \
      "❌ Этот контакт уже привязан к другому аккаунту. Отправьте, пожалуйста, другой.", \
      "the contact belongs to another account") \
    X(text_no_account, "messages.account_not_found", \
      "❌ Аккаунт с таким контактом не найден. Проверьте его и отправьте ещё раз.", \
      "there is no account with the contact") \
    X(text_amount, "messages.invalid_amount", \
      "❌ Не получилось разобрать сумму. Напишите её числом, например: 100", \
      "what was typed is no amount") \
    X(text_balance_low, "messages.balance_low", \
      "❌ Недостаточно бонусов: доступно {available}, нужно {required}.", \
      "not enough bonuses") \
    X(text_balance_low_here, "messages.balance_low_group", "❌ Недостаточно бонусов.", \
      "the same, said in a group") \
    X(text_no_referral, "messages.referral_denied", \
      "🔒 Реферальная ссылка доступна партнёрам и управляющим организации.", \
      "a referral link for nobody's partner") \
    X(text_menu_balance, "messages.menu_balance", "", \
      "the menu's balance; empty: the engine's own") \
    X(text_menu_history, "messages.menu_history", "", \
      "the menu's history; empty: the engine's own") \
    X(text_menu_level, "messages.menu_level", "", \
      "the menu's level; empty: the engine's own") \
    X(text_menu_referrals, "messages.menu_referrals", \
      "Поделитесь ссылкой с друзьями: их покупки по ней будут учтены за вами.", \
      "the menu's referral link") \
    X(text_menu_invite, "messages.menu_invite", \
      "Отправьте ссылку другу: его покупки по ней будут учтены за вами.", \
      "the menu's invitation") \
    X(text_menu_purchases, "messages.menu_purchases", "", \
      "the menu's purchases; empty: the engine's own") \
    X(text_menu_help, "messages.menu_help", \
      "В меню можно узнать:\n" \
      "💰 баланс бонусов и сколько их было начислено и списано\n" \
      "📜 последние операции\n" \
      "🏆 уровень и сколько осталось до следующего\n" \
      "🛍️ свои покупки\n\n" \
      "Чтобы открыть меню, отправьте /start." \
      "{{ project.support_phone ? \"\\n📞 Поддержка: \" + project.support_phone : \"\" }}" \
      "{{ project.support_email ? \"\\n✉️ Поддержка: \" + project.support_email : \"\" }}", \
      "the menu's help") \
    X(text_partner_link, "messages.partner_link", \
      "Поделитесь ссылкой: покупки тех, кто придёт по ней, будут учтены за вами.", \
      "a partner's link")
/* clang-format on */

struct wk_schema;

struct wf_settings {
#define X(field, key, value, least, greatest, unit, help) int64_t field;
    WF_NUMBER_SETTINGS(X)
#undef X
#define X(field, key, value, help) bool field;
    WF_SWITCH_SETTINGS(X)
#undef X
#define X(field, key, value, help) char *field;
    WF_TEXT_SETTINGS(X)
#undef X
};

/* A row a key; the dots are part of the keys. For help texts. */
extern const struct wk_schema wf_settings_schema;

/* `config` may be NULL: all defaults. BW_EINVAL names the key, and the nearest known one.
 * On failure nothing is owned. */
BW_MUSTCHECK int wf_settings_parse(struct wf_settings *settings, const json_t *config,
                                   struct bw_error *err);
void wf_settings_fini(struct wf_settings *settings);
/* What may become of a message nobody knows to have been sent: `resend`, `drop`, `mark`.
 */
bool wf_settings_is_policy(const char *name);

/* New text: a key's pattern with its members filled in. `fills` is name, value, …, NULL.
 */
char *wf_settings_key(const char *pattern, const char *const *fills);

#endif
