/* action.partner_payouts: what a partner earned. Appendix A.2 */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <stdlib.h>

#include "workflow/base/mem.h"
#include "workflow/base/money.h"
#include "workflow/nodes/parts.h"
#include "workflow/run/io.h"
#include "workflow/nodes/partner/partner.h"

#define DEFAULT_LIMIT 20
#define MAX_LIMIT     50

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define NOTHING_YET "Пока пусто. Комиссии появятся, когда подопечные начнут делать покупки."
/* clang-format on */

static wf_step show;

enum wf_action wf_start_partner_payouts(struct wf_run *run)
{
    char limit[16];

    if (!wf_partner_begin(run))
        return WF_PENDING;
    (void)snprintf(limit, sizeof(limit), "%d",
                   wf_partner_number(run, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT));
    (void)wf_db_add(run, WF_SQL_partner_payouts, run->project_id, run->user_id, limit,
                    run->engine->settings.timezone);
    wf_db_run(run, show, NULL);
    return WF_PENDING;
}

static double amount_of(const struct wf_run *run, size_t row)
{
    const char *text = wf_db_value(run, 1, row, WF_COL_partner_payouts_amount);

    return text != NULL ? strtod(text, NULL) : 0;
}

static void add_row(const struct wf_run *run, struct bw_buf *text, size_t row)
{
    const char *level = wf_db_value(run, 1, row, WF_COL_partner_payouts_level),
               *whose = wf_db_value(run, 1, row, WF_COL_partner_payouts_whose);
    char *name = wf_parts_escaped(whose != NULL ? whose : "");
    char *rub = wf_money_rub(amount_of(run, row));

    wf_partner_line(text, "📅 %s · <b>%s</b> · ",
                    wf_db_value(run, 1, row, WF_COL_partner_payouts_day), rub);
    if (whose != NULL)
        wf_check(bw_buf_addf(text, "клиент %s", name));
    else
        wf_check(bw_buf_add_str(text, "комиссия"));
    if (level != NULL)
        wf_check(bw_buf_addf(text, " (уровень %s)", level));
    free(name);
    free(rub);
}

static void add_rows(const struct wf_run *run, struct bw_buf *text)
{
    size_t count = wf_db_rows(run, 1);
    double total = 0;
    char *rub;

    for (size_t row = 0; row < count; row++) {
        add_row(run, text, row);
        total += amount_of(run, row);
    }
    rub = wf_money_rub(total);
    wf_partner_line(text, "%s", "");
    wf_partner_line(text, "Итого по этим %zu: <b>%s</b>", count, rub);
    free(rub);
}

/* `available`: what he may withdraw, or NULL. */
static void add_lines(const struct wf_run *run, struct bw_buf *text,
                      const json_t *available)
{
    bool earned = wf_db_rows(run, 1) > 0;

    wf_partner_line(text, "%s\n",
                    earned ? "<b>💵 Мои выплаты</b>" : "💵 <b>Мои выплаты</b>");
    if (earned)
        add_rows(run, text);
    if (available != NULL)
        wf_partner_sum(text, "Доступно к выводу", available);
    if (!earned)
        wf_partner_line(text, "%s",
                        available != NULL ? "История выплат пока пуста." : NOTHING_YET);
}

static void show(struct wf_run *run)
{
    json_t *viewer = wf_partner_viewer(run), *keyboard = wf_must(json_array());
    const json_t *available = json_object_get(viewer, "balance");
    struct bw_buf text = BW_BUF_INIT;

    if (json_number_value(available) > 0)
        wf_partner_button(wf_partner_row(keyboard), "💸 Вывести деньги", "payout_request",
                          NULL);
    else
        available = NULL;
    add_lines(run, &text, available);
    wf_partner_back(keyboard);
    wf_partner_send(run, &text, keyboard);
    json_decref(viewer);
}
