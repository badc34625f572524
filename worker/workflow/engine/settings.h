/* What an operator may set for the workflow engine: the configuration's "workflow"
 * object. Appendix C. Constant after parsing; texts are owned by the struct. */
#ifndef WORKFLOW_SETTINGS_H
#define WORKFLOW_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/error.h>

/* field, key, default, least, greatest */
#define WF_NUMBER_SETTINGS(X)                                                            \
    X(max_visits, "run.max_visits", 100, 1, 1000000)                                     \
    X(default_max_steps, "run.default_max_steps", 200, 1, 1000000)                       \
    X(reuse_seconds, "session.reuse_seconds", 86400, 0, 604800)                          \
    X(ttl_user_variables, "cache.ttl.user_variables", 120, 1, 86400)                     \
    X(ttl_user_profile, "cache.ttl.user_profile", 30, 1, 86400)                          \
    X(ttl_waiting, "cache.ttl.waiting", 300, 1, 86400)                                   \
    X(ttl_version, "cache.ttl.version", 3600, 1, 86400)                                  \
    X(memory_entries, "cache.memory_entries", 10000, 16, 10000000)                       \
    X(limit_user, "ratelimit.user", 100, 1, 1000000)                                     \
    X(limit_bot, "ratelimit.bot", 10, 1, 1000000)                                        \
    X(limit_group, "ratelimit.group", 20, 0, 1000000)                                    \
    X(chat_space_ms, "ratelimit.chat_ms", 0, 0, 60000)                                   \
    X(broadcast_percent, "ratelimit.broadcast_percent", 70, 1, 100)                      \
    X(limit_channel_check, "ratelimit.channel_check", 30, 1, 1000000)                    \
    X(limit_api, "ratelimit.api", 60, 1, 1000000)                                        \
    X(http_max_body, "http.max_body", 5242880, 1, 1073741824)                            \
    X(http_timeout_ms, "http.default_timeout_ms", 30000, 1, 600000)                      \
    X(lock_ttl_ms, "lock.ttl_ms", 10000, 100, 600000)                                    \
    X(chat_wait_ms, "lock.chat_wait_ms", 5000, 0, 600000)                                \
    X(spend_wait_ms, "lock.spend_wait_ms", 3000, 0, 600000)                              \
    X(bot_wait_ms, "telegram.throttle_wait_ms", 5000, 0, 600000)                         \
    X(token_patience, "telegram.token_patience", 3600, 0, 31536000)                      \
    X(db_timeout_ms, "database.timeout_ms", 10000, 100, 600000)

#define WF_SWITCH_SETTINGS(X)                                                            \
    X(escape, "template.escape", true)                                                   \
    X(expose_secrets, "template.expose_secrets", false)                                  \
    X(require_own_contact, "contact.require_own", true)                                  \
    X(accept_typed_phone, "contact.accept_typed_phone", true)                            \
    X(node_compat, "cache.node_compat", true)                                            \
    X(answer_callback, "telegram.answer_callback", true)                                 \
    X(http_private, "http.allow_private", false)                                         \
    X(scan, "schedule.scan", false)

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define WF_TEXT_SETTINGS(X) \
    X(timezone, "format.timezone", "Europe/Moscow") \
    X(unknown_sends, "telegram.unknown_sends", "resend") \
    X(group_personal, "group.personal", "private") \
    X(queue_delays, "queue.delays", "workflow-delays") \
    X(http_domains, "http.allowed_domains", "") \
    X(long_date_sep, "format.long_date_sep", " в ") \
    X(key_user_variables, "cache.key.user_variables", \
      "user:{userId}:{projectId}:variables") \
    X(key_user_profile, "cache.key.user_profile", "user:{userId}:{projectId}:profile") \
    X(key_waiting, "cache.key.waiting", "workflow:waiting:{sessionId}") \
    X(key_version, "cache.key.version", "workflow:version:{projectId}:{workflowId}") \
    X(key_node_user_variables, "cache.key.node_user_variables", \
      "workflow:user-variables:{projectId}:{userId}") \
    X(key_node_user_profile, "cache.key.node_user_profile", \
      "workflow:user-profile:{userId}") \
    X(key_node_waiting, "cache.key.node_waiting", \
      "workflow:execution:waiting:{projectId}:{chatId}:{waitType}") \
    X(key_node_version, "cache.key.node_active_version", \
      "project:{projectId}:workflow:active-version") \
    X(text_limited, "messages.rate_limited", \
      "⚠️ Слишком много запросов. Пожалуйста, подождите немного " \
      "перед следующим запросом.") \
    X(text_customer_required, "messages.customer_required", \
      "❌ Для использования меню необходимо привязать аккаунт. Введите /start для " \
      "начала.") \
    X(text_foreign_contact, "messages.foreign_contact", \
      "⚠️ Отправьте, пожалуйста, свой контакт " \
      "кнопкой ниже.") \
    X(text_email_prompt, "messages.email_prompt", \
      "📧 Введите ваш email адрес:\n\nНапример: example@mail.ru") \
    X(text_email_invalid, "messages.email_invalid", \
      "❌ Неверный формат email. Пример: example@mail.ru\n\n📧 Пожалуйста, введите " \
      "корректный email адрес:\nНапример: example@mail.ru") \
    X(text_birth_date, "messages.invalid_birth_date", \
      "❌ Не получилось разобрать дату рождения. Напишите её так: 31.12.1990") \
    X(text_contact_taken, "messages.contact_taken", \
      "❌ Этот контакт уже привязан к другому аккаунту. Отправьте, пожалуйста, другой.") \
    X(text_no_account, "messages.account_not_found", \
      "❌ Аккаунт с таким контактом не найден. Проверьте его и отправьте ещё раз.") \
    X(text_amount, "messages.invalid_amount", \
      "❌ Не получилось разобрать сумму. Напишите её числом, например: 100") \
    X(text_balance_low, "messages.balance_low", \
      "❌ Недостаточно бонусов: доступно {available}, нужно {required}.") \
    X(text_balance_low_here, "messages.balance_low_group", "❌ Недостаточно бонусов.") \
    X(text_no_referral, "messages.referral_denied", \
      "🔒 Реферальная ссылка доступна партнёрам и управляющим организации.") \
    X(text_menu_balance, "messages.menu_balance", "") \
    X(text_menu_history, "messages.menu_history", "") \
    X(text_menu_level, "messages.menu_level", "") \
    X(text_menu_referrals, "messages.menu_referrals", \
      "Поделитесь ссылкой с друзьями: их покупки по ней будут учтены за вами.") \
    X(text_menu_invite, "messages.menu_invite", \
      "Отправьте ссылку другу: его покупки по ней будут учтены за вами.") \
    X(text_menu_purchases, "messages.menu_purchases", "") \
    X(text_menu_help, "messages.menu_help", \
      "В меню можно узнать:\n" \
      "💰 баланс бонусов и сколько их было начислено и списано\n" \
      "📜 последние операции\n" \
      "🏆 уровень и сколько осталось до следующего\n" \
      "🛍️ свои покупки\n\n" \
      "Чтобы открыть меню, отправьте /start." \
      "{{ project.support_phone ? \"\\n📞 Поддержка: \" + project.support_phone : \"\" }}" \
      "{{ project.support_email ? \"\\n✉️ Поддержка: \" + project.support_email : \"\" }}") \
    X(text_partner_link, "messages.partner_link", \
      "Поделитесь ссылкой: покупки тех, кто придёт по ней, будут учтены за вами.")
/* clang-format on */

struct wf_settings {
#define X(field, key, value, least, greatest) int64_t field;
    WF_NUMBER_SETTINGS(X)
#undef X
#define X(field, key, value) bool field;
    WF_SWITCH_SETTINGS(X)
#undef X
#define X(field, key, value) char *field;
    WF_TEXT_SETTINGS(X)
#undef X
};

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
