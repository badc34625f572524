/* action.partner_link: the link a partner shares. Appendix A.2 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/nodes/parts.h"
#include "workflow/run/referral_link.h"
#include "workflow/language/value.h"
#include "workflow/run/io.h"
#include "workflow/run/person.h"
#include "workflow/run/values.h"
#include "workflow/nodes/partner/partner.h"

/* The formatter miscounts the columns of emoji, differently each time. */
/* clang-format off */
#define DENIED "🔒 Реферальная ссылка доступна партнёрам и управляющим организации."
/* clang-format on */

static wf_step coded, show, without_code;

/* The link is given out: he has a code from now on (worker/workflow/spec/workflow.md
 * §6.5). */
static bool lacks_code(const struct wf_run *run)
{
    return !run->person.code_asked &&
           (!run->person.known ||
            strcmp(wf_member(run->person.variables, "user.hasReferralCode", ""), "Нет") ==
                0);
}

enum wf_action wf_start_partner_link(struct wf_run *run)
{
    if (!wf_partner_begin(run))
        return WF_PENDING;
    if (lacks_code(run)) {
        (void)wf_db_add(run, WF_SQL_referral, run->user_id, run->project_id);
        wf_db_run(run, coded, without_code);
    } else {
        wf_db_run(run, show, NULL);
    }
    return WF_PENDING;
}

static void coded(struct wf_run *run)
{
    run->person.code_asked = true;
    if (wf_db_value(run, 1, 0, WF_COL_referral_code) != NULL)
        wf_person_changed(run, run->user_id); /* caches say that there is none */
    show(run);
}

/* New reference: the configured parameters as texts; what is blank is absent. */
static json_t *more_params(struct wf_run *run)
{
    json_t *given =
        wf_run_value(run, json_object_get(run->node->config, "additionalParams"));
    json_t *params = wf_must(json_object()), *value;
    const char *key;

    json_object_foreach(given, key, value)
    {
        struct bw_buf text = BW_BUF_INIT;

        wf_check(wf_value_text(value, &text));
        if (text.len > 0)
            wf_json_set_text(params, key, bw_buf_text(&text));
        bw_buf_fini(&text);
    }
    json_decref(given);
    return params;
}

/* New: the link for the membership, which may be NULL; escaped. */
static char *link_of(struct wf_run *run, const json_t *viewer, const json_t *membership)
{
    json_t *more = more_params(run);
    char *link =
        wf_referral_link(wf_member(viewer, "domain", NULL), wf_member(viewer, "id", ""),
                         wf_member(membership, "slug", NULL), more);
    char *shown = wf_parts_escaped(link);

    free(link);
    json_decref(more);
    return shown;
}

static void show_link(struct wf_run *run, const json_t *viewer, const json_t *membership)
{
    char *link = link_of(run, viewer, membership);
    char *end = wf_parts_render(run, run->engine->settings.text_partner_link, "HTML");
    json_t *keyboard = wf_must(json_array());
    struct bw_buf text = BW_BUF_INIT;

    wf_partner_line(&text, "<b>👉 ВАША РЕФЕРАЛЬНАЯ ССЫЛКА 👈</b>\n");
    wf_partner_line(&text, "<code>%s</code>", link);
    if (*end != '\0')
        wf_partner_line(&text, "\n%s", end);
    wf_partner_back(keyboard);
    wf_partner_send(run, &text, keyboard);
    free(link);
    free(end);
}

static void show(struct wf_run *run)
{
    json_t *viewer = wf_partner_viewer(run), *keyboard;
    char *organization = wf_partner_param(run, "organizationId");
    const json_t *membership = wf_partner_membership(viewer, "refers", organization);

    if (viewer == NULL) {
        wf_partner_say(run, PARTNER_NO_ACCOUNT, NULL);
    } else if (membership == NULL && json_is_true(json_object_get(viewer, "roles"))) {
        keyboard = wf_must(json_array());
        wf_partner_back(keyboard);
        wf_partner_say(run, DENIED, keyboard);
    } else {
        show_link(run, viewer, membership);
    }
    free(organization);
    json_decref(viewer);
}

/* The code was to be made, and somebody else got the same digits: the link is without. */
static void without_code(struct wf_run *run)
{
    if (wf_partner_begin(run))
        wf_db_run(run, show, NULL);
}
