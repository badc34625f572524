/* action.partner_home: a partner's first page. Appendix A.2 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/run/io.h"
#include "workflow/nodes/partner/partner.h"

static wf_step show;

enum wf_action wf_start_partner_home(struct wf_run *run)
{
    if (wf_partner_begin(run))
        wf_db_run(run, show, NULL);
    return WF_PENDING;
}

static void add_member(struct bw_buf *text, const json_t *viewer)
{
    const json_t *memberships = json_object_get(viewer, "memberships");
    const json_t *first = json_array_get(memberships, 0);
    bool manages = json_is_true(json_object_get(first, "manages"));
    char *name, *position;

    if (first == NULL) {
        wf_partner_line(text, "👤 <b>Клиент</b>");
        return;
    }
    name = wf_partner_escaped(first, "name");
    position = manages && *wf_member(first, "title", "") == '\0'
                   ? wf_strdup("Управляющий")
                   : wf_partner_position(first, "Клиент организации");
    wf_partner_line(text, "🏢 %s · <b>%s</b>", *name != '\0' ? name : "Организация",
                    position);
    if (json_array_size(memberships) > 1)
        wf_partner_line(text, "Связанных организаций: <b>%zu</b>",
                        json_array_size(memberships));
    free(name);
    free(position);
}

static void add_lines(struct bw_buf *text, const json_t *viewer)
{
    char *name = wf_partner_escaped(viewer, "firstName");
    char *level = wf_partner_escaped(viewer, "level");

    wf_partner_line(text, "<b>👋 Личный кабинет</b>");
    wf_partner_line(text, "Здравствуйте, %s!", *name != '\0' ? name : "пользователь");
    add_member(text, viewer);
    wf_partner_sum(text, "🛍️ Покупки", json_object_get(viewer, "purchases"));
    wf_partner_line(text, "🏆 Уровень лояльности: <b>%s</b>",
                    *level != '\0' ? level : "Базовый");
    wf_partner_sum(text, "💰 Бонусный баланс", json_object_get(viewer, "balance"));
    if (json_array_size(json_object_get(viewer, "memberships")) > 0)
        wf_partner_sum(text, "💵 Партнёрский доход",
                       json_object_get(viewer, "commission"));
    free(name);
    free(level);
}

/* What a membership opens. */
static void add_organization(json_t *keyboard, const json_t *member, bool team)
{
    const char *organization = wf_member(member, "organization", "");
    const char *name = wf_member(member, "name", "");

    if (json_is_true(json_object_get(member, "refers")))
        wf_partner_named(wf_partner_row(keyboard), "👉 Ссылка · ", name, "partner_link",
                         organization);
    if (team)
        wf_partner_named(wf_partner_row(keyboard), "👥 Команда · ", name,
                         "partner_team_page:0", organization);
    if (json_is_true(json_object_get(member, "manages")))
        wf_partner_named(wf_partner_row(keyboard), "📊 Сводка · ", name,
                         "partner_org_summary", organization);
}

static void add_single(json_t *keyboard, const char *text, const char *data)
{
    wf_partner_button(wf_partner_row(keyboard), text, data, NULL);
}

/* New reference. */
static json_t *make_keyboard(const json_t *viewer)
{
    bool roles = json_is_true(json_object_get(viewer, "roles"));
    bool team = roles && json_is_true(json_object_get(viewer, "team"));
    json_t *keyboard = wf_must(json_array()), *row = wf_partner_row(keyboard), *item;
    size_t i;

    wf_partner_button(row, "💰 Баланс", "menu_balance", NULL);
    wf_partner_button(row, "🛍️ Покупки", "menu_purchases", NULL);
    row = wf_partner_row(keyboard);
    wf_partner_button(row, "📜 История", "menu_history", NULL);
    wf_partner_button(row, "🏆 Уровень", "menu_level", NULL);
    if (!roles || wf_partner_membership(viewer, "refers", NULL) != NULL) { /* canRefer */
        json_array_foreach(json_object_get(viewer, "memberships"), i, item)
        {
            add_organization(keyboard, item, team);
        }
        add_single(keyboard, "💵 Мои выплаты", "partner_payouts");
    }
    if (wf_partner_membership(viewer, "manages", NULL) != NULL)
        add_single(keyboard, "📥 Заявки", "partner_requests");
    if (!roles)
        add_single(keyboard, "👥 Реферальная программа", "menu_referrals");
    add_single(keyboard, "❓ Помощь", "menu_help");
    return keyboard;
}

static void show(struct wf_run *run)
{
    json_t *viewer = wf_partner_viewer(run);
    struct bw_buf text = BW_BUF_INIT;

    if (json_is_true(json_object_get(viewer, "active"))) {
        add_lines(&text, viewer);
        wf_partner_send(run, &text, make_keyboard(viewer));
    } else {
        wf_partner_say(run, PARTNER_NO_ACCOUNT, NULL);
    }
    json_decref(viewer);
}
