/* action.partner_org_summary: an organisation in numbers, for who manages it. Appendix
 * A.2
 */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <stdlib.h>

#include "workflow/base/mem.h"
#include "workflow/base/money.h"
#include "workflow/run/io.h"
#include "workflow/nodes/partner/partner.h"

#define DEFAULT_TOP 5
#define MAX_TOP     20

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define NO_ROLES "ℹ️ В этом проекте партнёрская иерархия не включена."
#define DENIED   "🔒 Сводка по организации доступна управляющим."
#define NOBODY   "📊 <b>Сводка по организации</b>\n\nПока никто не приглашён в команду."
/* clang-format on */

static wf_step show;

enum wf_action wf_start_partner_organization(struct wf_run *run)
{
    char *organization;
    char top[16];

    if (!wf_partner_begin(run))
        return WF_PENDING;
    organization = wf_partner_param(run, "organizationId");
    (void)snprintf(top, sizeof(top), "%d",
                   wf_partner_number(run, "topLimit", DEFAULT_TOP, 1, MAX_TOP));
    (void)wf_db_add(run, WF_SQL_partner_organization, run->project_id, run->user_id,
                    organization, top);
    free(organization);
    wf_db_run(run, show, NULL);
    return WF_PENDING;
}

/* New reference: only the way back. */
static json_t *back(void)
{
    json_t *keyboard = wf_must(json_array());

    wf_partner_back(keyboard);
    return keyboard;
}

static long long count_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void add_leaders(struct bw_buf *text, const json_t *leaders)
{
    json_t *leader;
    size_t i;

    if (json_array_size(leaders) == 0)
        return;
    wf_partner_line(text, "\n<b>🏆 Лидеры по обороту</b>");
    json_array_foreach((json_t *)(uintptr_t)leaders, i, leader)
    {
        char *name = wf_partner_escaped(leader, "name");
        char *rub = wf_money_rub(wf_partner_amount(leader, "purchases"));

        wf_partner_line(text, "%zu. %s — %s", i + 1, name, rub);
        free(name);
        free(rub);
    }
}

static void add_lines(struct bw_buf *text, const json_t *summary)
{
    char *name = wf_partner_escaped(summary, "name");
    json_t *level;
    size_t i;

    wf_partner_line(text, "<b>📊 %s</b>\n", name);
    wf_partner_line(text, "👥 Всего в команде: <b>%lld</b>", count_of(summary, "total"));
    json_array_foreach(json_object_get(summary, "levels"), i, level)
    {
        wf_partner_line(text, "🔹 Уровень %lld: <b>%lld</b>", count_of(level, "level"),
                        count_of(level, "count"));
    }
    wf_partner_line(text, "🛒 Клиентов: <b>%lld</b>",
                    count_of(summary, "clients"));
    wf_partner_sum(text, "💼 Общий оборот", json_object_get(summary, "purchases"));
    add_leaders(text, json_object_get(summary, "leaders"));
    free(name);
}

static void show(struct wf_run *run)
{
    json_t *viewer = wf_partner_viewer(run);
    json_t *summary =
        wf_loads(wf_db_value(run, 1, 0, WF_COL_partner_organization_object));
    struct bw_buf text = BW_BUF_INIT;

    if (viewer == NULL) {
        wf_partner_say(run, PARTNER_NO_ACCOUNT, NULL);
    } else if (!json_is_true(json_object_get(viewer, "roles"))) {
        wf_partner_say(run, NO_ROLES, NULL);
    } else if (summary == NULL) {
        wf_partner_say(run, DENIED, back());
    } else if (count_of(summary, "total") == 0) {
        wf_partner_say(run, NOBODY, back());
    } else {
        add_lines(&text, summary);
        wf_partner_send(run, &text, back());
    }
    json_decref(summary);
    json_decref(viewer);
}
