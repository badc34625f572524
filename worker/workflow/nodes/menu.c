/* action.menu_command: the account as a person wants to see it. Appendix B */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/base/money.h"
#include "workflow/nodes/parts.h"
#include "workflow/outbox/send.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/person.h"

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define NO_LINK "🔒 Реферальная ссылка доступна партнёрам и управляющим организации."
#define NO_ORDERS \
    "<b>🛍️ Мои покупки</b>\n\nПокупок пока нет. Заказы появятся здесь после привязки к " \
    "вашему аккаунту."
/* clang-format on */

struct command {
    const char *name;
    const char *text;  /* a template; NULL: made of the orders */
    bool refers;       /* only for who may refer others */
    bool without_back; /* no button back to the menu */
    size_t closing;    /* the setting with the closing words */
};

/* clang-format off */
static const struct command commands[] = {
    { "menu_balance",
      "<b>💰 Ваш баланс бонусов</b>\n\n"
      "💵 <b>Текущий баланс:</b> {user.balanceFormatted}\n"
      "📈 <b>Всего заработано:</b> {user.totalEarnedFormatted}\n"
      "📉 <b>Всего потрачено:</b> {user.totalSpentFormatted}\n"
      "🛍️ <b>Покупок на сумму:</b> {user.totalPurchasesFormatted}",
      false, false, offsetof(struct wf_settings, text_menu_balance) },
    { "menu_history",
      "<b>📜 История операций</b>\n\n<b>Последние 10 операций:</b>\n\n"
      "{transactions.formatted}",
      false, false, offsetof(struct wf_settings, text_menu_history) },
    { "menu_level",
      "<b>🏆 Ваш уровень:</b> {user.currentLevel}\n\n"
      "<b>📊 Прогресс к следующему уровню:</b>\n"
      "{user.progressBar} ({user.progressPercent}%)\n\n"
      "<b>💰 Бонусный процент:</b> {user.levelBonusPercent}%\n"
      "<b>💵 Процент оплаты бонусами:</b> {user.levelPaymentPercent}%\n\n"
      "<b>Следующий уровень:</b> {user.nextLevelName}\n"
      "<b>Нужно покупок на сумму:</b> {user.nextLevelAmountFormatted}",
      false, false, offsetof(struct wf_settings, text_menu_level) },
    { "menu_referrals",
      "<b>👥 Реферальная программа</b>\n\n<b>📊 Статистика по проекту:</b>\n"
      "👤 <b>Приглашено пользователей:</b> {user.referralCount}\n"
      "💰 <b>Бонусов от рефералов:</b> {user.referralBonusTotalFormatted}\n\n"
      "<b>👉 ВАША РЕФЕРАЛЬНАЯ ССЫЛКА 👈</b>\n{user.referralLink}",
      true, false, offsetof(struct wf_settings, text_menu_referrals) },
    { "menu_invite",
      "<b>🔗 Пригласить друга</b>\n\n"
      "<b>💰 Ваш реферальный код:</b> <code>{user.referralCode}</code>\n\n"
      "<b>🔗 Реферальная ссылка:</b>\n{user.referralLink}",
      true, false, offsetof(struct wf_settings, text_menu_invite) },
    { "menu_purchases", NULL, false, false,
      offsetof(struct wf_settings, text_menu_purchases) },
    { "menu_help", "<b>❓ Помощь</b>", false, true,
      offsetof(struct wf_settings, text_menu_help) },
};
/* clang-format on */

static wf_step show, sent, orders_read;
static void send_text(struct wf_run *run, char *text, bool back);
static void send_command(struct wf_run *run, const struct command *command, char *body);
static const struct command *command_of(const struct wf_run *run);

/* --- the node */

static enum wf_action refuse(struct wf_run *run, char *text)
{
    json_t *params = wf_must(json_object());

    wf_json_set_text(params, "chat_id", run->event.chat_id);
    wf_json_set_text(params, "text", text);
    free(text);
    wf_send(run, "sendMessage", params, sent);
    return WF_PENDING;
}

enum wf_action wf_start_menu(struct wf_run *run)
{
    if (run->user_id == NULL)
        return refuse(run, wf_strdup(run->engine->settings.text_customer_required));
    if (command_of(run) == NULL)
        return refuse(run, wf_printf("❌ Неизвестная команда меню: %s",
                                     wf_member(run->node->config, "command", "")));
    if (run->person.known)
        show(run);
    else
        wf_person_load(run, show);
    return WF_PENDING;
}

static bool may_refer(const struct wf_run *run)
{
    return !json_is_false(json_object_get(run->person.variables, "user.canRefer"));
}

/* With the customer's variables at hand. */
static void show(struct wf_run *run)
{
    const struct command *command = command_of(run);

    if (command->refers && !may_refer(run)) {
        send_text(run, wf_strdup(NO_LINK), true);
        return;
    }
    if (command->text != NULL) {
        send_command(run, command, wf_parts_render(run, command->text, "HTML"));
        return;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_orders, run->project_id, run->user_id,
                    run->engine->settings.timezone);
    wf_db_run(run, orders_read, NULL);
}

/* --- sending */

static void sent(struct wf_run *run)
{
    run->resume(run, wf_node_next());
}

static json_t *back_button(void)
{
    return wf_must(json_pack("{s:[[{s:s, s:s}]]}", "inline_keyboard", "text",
                             "⬅️ Назад в меню", "callback_data",
                             "back_to_menu"));
}

/* Takes `text`. */
static void send_text(struct wf_run *run, char *text, bool back)
{
    wf_parts_begin(run);
    wf_parts_add_text(run, text, "HTML");
    wf_parts_markup(run, back ? back_button() : NULL);
    free(text);
    (void)wf_parts_send(run, sent); /* always pending */
}

/* The body and the operator's closing words. Takes `body`. */
static void send_command(struct wf_run *run, const struct command *command, char *body)
{
    const struct wf_settings *settings = &run->engine->settings;
    const char *closing =
        *(char *const *)(const void *)((const char *)settings + command->closing);
    char *end = wf_parts_render(run, closing, "HTML");

    if (*end != '\0') {
        char *both = wf_printf("%s\n\n%s", body, end);

        free(body);
        body = both;
    }
    free(end);
    send_text(run, body, !command->without_back);
}

static const struct command *command_of(const struct wf_run *run)
{
    const char *name = wf_member(run->node->config, "command", "");

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* --- menu_purchases */

static const char *status_label(const char *status)
{
    static const char *const labels[][2] = {
        { "PENDING", "Ожидает" },    { "PROCESSING", "В обработке" },
        { "COMPLETED", "Выполнен" }, { "CANCELLED", "Отменён" },
        { "REFUNDED", "Возврат" },
    };

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (strcmp(labels[i][0], status) == 0)
            return labels[i][1];
    }
    return status;
}

static char *order_block(const struct wf_run *run, size_t row)
{
    const char *items = wf_db_value(run, 0, row, WF_COL_orders_items);
    const char *status = wf_db_value(run, 0, row, WF_COL_orders_status);
    const char *sum = wf_db_value(run, 0, row, WF_COL_orders_sum);
    char *number = wf_parts_escaped(wf_db_value(run, 0, row, WF_COL_orders_number));
    char *goods = wf_parts_escaped(items != NULL ? items : "");
    char *rub = wf_money_rub(sum != NULL ? strtod(sum, NULL) : 0);
    char *block = wf_printf("%zu. <b>№ %s</b> · %s\n   %s · %s%s%s", row + 1, number,
                            wf_db_value(run, 0, row, WF_COL_orders_day), rub,
                            status_label(status != NULL ? status : ""),
                            *goods != '\0' ? "\n   " : "", goods);

    free(number);
    free(goods);
    free(rub);
    return block;
}

static void orders_read(struct wf_run *run)
{
    size_t count = wf_db_rows(run, 0);
    char *text =
        wf_strdup(count > 0 ? "<b>🛍️ Мои покупки</b>" : NO_ORDERS);

    for (size_t row = 0; row < count; row++) {
        char *block = order_block(run, row);
        char *longer = wf_printf("%s\n\n%s", text, block);

        free(block);
        free(text);
        text = longer;
    }
    send_command(run, command_of(run), text);
}
