/* action.partner_subject_stats: one of the people below a partner. Appendix A.2 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/base/money.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/nodes/partner/partner.h"

#define NO_SUBJECT "❌ Не указан подопечный."
#define NOT_FOUND  "❌ Подопечный не найден."

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define DENIED "🔒 Нет доступа к статистике этого пользователя."
#define BROKEN "❌ Не удалось загрузить статистику. Обновите меню и попробуйте ещё раз."
/* clang-format on */

static wf_step show, broken;

enum wf_action wf_start_partner_subject(struct wf_run *run)
{
    const json_t *asked = json_object_get(run->node->config, "subjectUserId");
    char *subject, *organization;

    if (asked == NULL || json_is_null(asked) ||
        (json_is_string(asked) && json_string_length(asked) == 0))
        return wf_node_fail(run, "partner_subject_stats: subjectUserId is required");
    subject = wf_partner_param(run, "subjectUserId");
    if (subject == NULL && run->user_id != NULL) {
        wf_partner_say(run, NO_SUBJECT, NULL);
        return WF_PENDING;
    }
    if (!wf_partner_begin(run)) {
        free(subject);
        return WF_PENDING;
    }
    organization = wf_partner_param(run, "organizationId");
    (void)wf_db_add(run, WF_SQL_partner_subject, run->project_id, run->user_id, subject,
                    organization, run->engine->settings.timezone);
    free(subject);
    free(organization);
    wf_db_run(run, show, broken);
    return WF_PENDING;
}

/* `label: value` when there is one. */
static void add_given(struct bw_buf *text, const char *label, const json_t *subject,
                      const char *key)
{
    char *value = wf_partner_escaped(subject, key);

    if (*value != '\0')
        wf_partner_line(text, "%s: %s", label, value);
    free(value);
}

static void add_lines(struct bw_buf *text, const json_t *subject)
{
    bool client = json_is_true(json_object_get(subject, "client"));
    char *name = wf_partner_escaped(subject, "name");
    char *level = wf_partner_escaped(subject, "level");
    char *commission = wf_money_rub(wf_partner_amount(subject, "commission"));

    wf_partner_line(text, "<b>📊 %s</b>", name);
    wf_partner_line(text, "Роль: <b>%s</b>", client ? "Клиент" : "Участник");
    add_given(text, "Телефон", subject, "phone");
    add_given(text, "Email", subject, "email");
    add_given(text, "Регистрация", subject, "since");
    wf_partner_line(text, "Уровень: %s", *level != '\0' ? level : "Базовый");
    wf_partner_sum(text, "💼 Оборот", json_object_get(subject, "purchases"));
    wf_partner_line(text, "👥 Прямых рефералов: <b>%lld</b>",
                    (long long)json_integer_value(json_object_get(subject, "referrals")));
    wf_partner_line(
        text, "💰 Ваша комиссия с этого подопечного: <b>%s</b> (%lld начислений)",
        commission, (long long)json_integer_value(json_object_get(subject, "count")));
    free(name);
    free(level);
    free(commission);
}

/* New reference. */
static json_t *make_keyboard(struct wf_run *run)
{
    char *organization = wf_partner_param(run, "organizationId");
    json_t *keyboard = wf_must(json_array());

    wf_partner_button(wf_partner_row(keyboard), "⬅️ К команде",
                      "partner_team_page:0", organization);
    wf_partner_back(keyboard);
    free(organization);
    return keyboard;
}

static void show(struct wf_run *run)
{
    json_t *subject = wf_loads(wf_db_value(run, 1, 0, WF_COL_partner_subject_object)),
           *keyboard;
    struct bw_buf text = BW_BUF_INIT;

    if (wf_db_rows(run, 0) == 0) {
        wf_partner_say(run, PARTNER_NO_ACCOUNT, NULL);
    } else if (!wf_db_true(run, 1, 0, WF_COL_partner_subject_allowed)) {
        keyboard = wf_must(json_array());
        wf_partner_back(keyboard);
        wf_partner_say(run, DENIED, keyboard);
    } else if (subject == NULL) {
        wf_partner_say(run, NOT_FOUND, NULL);
    } else {
        add_lines(&text, subject);
        wf_partner_send(run, &text, make_keyboard(run));
    }
    json_decref(subject);
}

static void broken(struct wf_run *run)
{
    wf_log_warn(run, wf_db_message(run));
    wf_partner_say(run, BROKEN, NULL);
}
