/* action.partner_team: the people below a partner, page by page. Appendix A.2 */
#include "workflow/nodes/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/base/money.h"
#include "workflow/run/io.h"
#include "workflow/nodes/partner/partner.h"

#define DEFAULT_SIZE 5
#define MAX_SIZE     20
#define MAX_PAGE     1000000

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define NOBODY \
    "👥 <b>Моя команда</b>\n\nУ вас пока нет подопечных. Поделитесь реферальной ссылкой — " \
    "и команда начнёт расти."

static const struct {
    const char *filter, *name, *tab; /* tab NULL: it has none */
} filters[] = {
    { "direct", "Прямые", NULL },
    { "clients", "Клиенты", "👤 Клиенты" },
    { "partners", "Партнёры", "🏃 Партнёры" },
    { "all", "Вся команда", "🌳 Все" },
};
/* clang-format on */

#define FILTERS (sizeof(filters) / sizeof(filters[0]))

/* What is shown. */
struct team {
    const json_t *viewer, *page;
    const char *organization; /* NULL: all */
    json_int_t total, number, size;
};

static wf_step show, show_nobody;

/* --- text */

static const char *filter_name(const char *filter)
{
    for (size_t i = 0; i < FILTERS; i++) {
        if (strcmp(filters[i].filter, filter) == 0)
            return filters[i].name;
    }
    return "";
}

static json_int_t page_count(const struct team *team)
{
    return (team->total + team->size - 1) / team->size;
}

static void add_person(struct bw_buf *text, const json_t *person, json_int_t number)
{
    bool client = json_is_true(json_object_get(person, "client"));
    char *name = wf_partner_escaped(person, "name");
    char *position = wf_partner_position(person, client ? "Клиент" : "Участник");
    char *purchases = wf_money_rub(wf_partner_amount(person, "purchases"));
    char *commission = wf_money_rub(wf_partner_amount(person, "commission"));

    wf_partner_line(text, "%lld. <b>%s</b> · %s", (long long)number, name, position);
    wf_partner_line(text, "   💼 Оборот: %s · 💰 Ваша комиссия: %s", purchases, commission);
    free(name);
    free(position);
    free(purchases);
    free(commission);
}

static void add_lines(struct bw_buf *text, const struct team *team)
{
    json_t *person;
    size_t i;

    wf_partner_line(text, "<b>👥 Моя команда</b> · %s (%lld)",
                    filter_name(wf_member(team->page, "filter", "")),
                    (long long)team->total);
    wf_partner_line(text, "Страница %lld из %lld", (long long)team->number + 1,
                    (long long)page_count(team));
    wf_partner_sum(text, "💼 Оборот команды", json_object_get(team->page, "purchases"));
    wf_partner_sum(text, "💰 Ваша комиссия", json_object_get(team->page, "commission"));
    wf_partner_line(text, "%s", "");
    json_array_foreach(json_object_get(team->page, "people"), i, person)
    {
        add_person(text, person, team->number * team->size + (json_int_t)i + 1);
    }
}

/* --- the node */

enum wf_action wf_start_partner_team(struct wf_run *run)
{
    char *organization, *filter;
    char size[16], page[16];

    if (!wf_partner_begin(run))
        return WF_PENDING;
    organization = wf_partner_param(run, "organizationId");
    filter = wf_partner_param(run, "filter");
    (void)snprintf(size, sizeof(size), "%d",
                   wf_partner_number(run, "pageSize", DEFAULT_SIZE, 1, MAX_SIZE));
    (void)snprintf(page, sizeof(page), "%d",
                   wf_partner_number(run, "page", 0, 0, MAX_PAGE));
    (void)wf_db_add(run, WF_SQL_partner_team, run->project_id, run->user_id, organization,
                    filter != NULL && *filter_name(filter) != '\0' ? filter : NULL, size,
                    page);
    free(organization);
    free(filter);
    wf_db_run(run, show, NULL);
    return WF_PENDING;
}

/* --- keyboard */

/* A button whose data ends with a number or an id. */
static void add_button(json_t *row, const char *text, const char *data, char *argument,
                       const char *organization)
{
    char *full = wf_printf("%s%s", data, argument);

    wf_partner_button(row, text, full, organization);
    free(full);
    free(argument);
}

static void add_tabs(json_t *keyboard, const struct team *team)
{
    json_t *row = wf_partner_row(keyboard);

    for (size_t i = 0; i < FILTERS; i++) {
        if (filters[i].tab != NULL)
            add_button(row, filters[i].tab,
                       "partner_team_tab:", wf_printf("%s:0", filters[i].filter),
                       team->organization);
    }
}

/* `managed`: where the viewer may remove people from, or NULL. */
static void add_person_row(json_t *keyboard, const struct team *team,
                           const json_t *person, const char *managed)
{
    const char *id = wf_member(person, "id", "");
    json_t *row = wf_partner_row(keyboard);
    char *data = wf_printf("partner_subject:%s", id);

    wf_partner_named(row, "📊 ", wf_member(person, "name", ""), data, team->organization);
    free(data);
    if (managed != NULL && strcmp(id, wf_member(team->viewer, "id", "")) != 0)
        add_button(row, "➖", "partner_team_remove:", wf_strdup(id), managed);
}

static void add_pager(json_t *keyboard, const struct team *team)
{
    json_t *row = wf_partner_row(keyboard);

    if (team->number > 0)
        add_button(row, "⬅️ Назад",
                   "partner_team_page:", wf_printf("%lld", (long long)team->number - 1),
                   team->organization);
    if (team->number + 1 < page_count(team))
        add_button(row, "Вперёд ➡️",
                   "partner_team_page:", wf_printf("%lld", (long long)team->number + 1),
                   team->organization);
}

static void add_requests(json_t *keyboard)
{
    wf_partner_button(wf_partner_row(keyboard), "📥 Заявки", "partner_requests", NULL);
}

/* New reference. */
static json_t *make_keyboard(const struct team *team)
{
    const json_t *led =
        wf_partner_membership(team->viewer, "manages", team->organization);
    json_t *keyboard = wf_must(json_array()), *person;
    size_t i;

    add_tabs(keyboard, team);
    json_array_foreach(json_object_get(team->page, "people"), i, person)
    {
        add_person_row(keyboard, team, person, wf_member(led, "organization", NULL));
    }
    add_pager(keyboard, team);
    add_requests(keyboard);
    wf_partner_back(keyboard);
    return keyboard;
}

static void show(struct wf_run *run)
{
    json_t *viewer = wf_partner_viewer(run),
           *page = wf_loads(wf_db_value(run, 1, 0, WF_COL_partner_team_object));
    char *organization = wf_partner_param(run, "organizationId");
    struct team team = { .viewer = viewer, .page = page, .organization = organization };
    struct bw_buf text = BW_BUF_INIT;

    team.total = json_integer_value(json_object_get(page, "total"));
    team.number = json_integer_value(json_object_get(page, "page"));
    team.size = wf_partner_number(run, "pageSize", DEFAULT_SIZE, 1, MAX_SIZE);
    if (viewer == NULL) {
        wf_partner_say(run, PARTNER_NO_ACCOUNT, NULL);
    } else if (team.total == 0) {
        show_nobody(run);
    } else {
        add_lines(&text, &team);
        wf_partner_send(run, &text, make_keyboard(&team));
    }
    free(organization);
    json_decref(page);
    json_decref(viewer);
}

static void show_nobody(struct wf_run *run)
{
    json_t *keyboard = wf_must(json_array());

    add_requests(keyboard);
    wf_partner_button(wf_partner_row(keyboard), "⬅️ Назад в меню",
                      "back_to_menu", NULL);
    wf_partner_say(run, NOBODY, keyboard);
}
