/* action.get_user_balance, action.link_telegram_account. worker/workflow/spec/workflow.md
 * §5.3.6 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/nodes/referral.h"
#include "workflow/run/ahead.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/person.h"
#include "workflow/run/values.h"
#include "workflow/nodes/query/param.h"

enum { FIND, REFERRAL, DETACH, ACTIVATE, PERSON };

static wf_step balance_read, link_found, linked, link_refused;

/* --- get_user_balance */

/* Takes `details`. */
static enum wf_action set_balance(struct wf_run *run, json_t *details)
{
    const char *assign = wf_run_assign(run->node, "userBalance");
    json_t *balance = json_object_get(details, "balance");
    char *name;

    name = wf_printf("%s_details", assign);
    wf_run_set(run, assign, json_incref(balance), 0);
    wf_run_set(run, name, details, 0);
    free(name);
    return wf_node_next();
}

enum wf_action wf_start_user_balance(struct wf_run *run)
{
    json_t *ahead;
    char *user_id = wf_run_text(run, run->node->config, "userId", NULL);

    if (user_id == NULL)
        user_id = wf_strdup(run->user_id);
    if (user_id == NULL)
        return wf_node_fail(run, "userId is required to get balance");
    if (wf_ahead_take(run, &ahead, WF_SQL_balance, user_id, run->project_id) &&
        ahead != NULL) {
        free(user_id);
        return set_balance(run, ahead);
    }
    json_decref(run->scratch);
    run->scratch = wf_must(json_object());
    wf_json_set_text(run->scratch, "userId", user_id);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_balance, user_id, run->project_id);
    free(user_id);
    wf_db_run(run, balance_read, NULL);
    return WF_PENDING;
}

static void balance_read(struct wf_run *run)
{
    json_t *details = wf_loads(wf_db_value(run, 0, 0, WF_COL_balance_result));

    if (details == NULL)
        run->resume(run, wf_query_no_user(run, wf_member(run->scratch, "userId", "")));
    else
        run->resume(run, set_balance(run, details));
}

/* --- link_telegram_account */

static void keep(struct wf_run *run, const char *name, char *text, const char *fallback)
{
    wf_json_set_text(run->scratch, name, text != NULL ? text : fallback);
    free(text);
}

static enum wf_action not_found(struct wf_run *run)
{
    return wf_node_refuse(run, run->engine->settings.text_no_account,
                          "User not found for linking");
}

enum wf_action wf_start_link_account(struct wf_run *run)
{
    const json_t *config = run->node->config;
    char *value = wf_run_text(run, config, "contactValue", NULL);
    char *user_id = wf_run_text(run, config, "userId", NULL);
    bool email = strcmp(wf_member(config, "contactType", "phone"), "email") == 0;
    bool given = value != NULL || user_id != NULL;

    json_decref(run->scratch);
    run->scratch = wf_must(json_object());
    keep(run, "telegramId", wf_run_text(run, config, "telegramId", "telegramUserId"),
         run->event.from_id);
    keep(run, "username", wf_run_text(run, config, "telegramUsername", NULL),
         run->event.username);
    keep(run, "forms", email ? NULL : wf_phone_forms(value), NULL);
    keep(run, "email", email ? wf_strdup(value) : NULL, NULL);
    keep(run, "userId", user_id, NULL);
    free(value);
    if (!given || wf_db_bigint(wf_member(run->scratch, "telegramId", NULL)) == NULL)
        return not_found(run);
    link_found(run);
    return WF_PENDING;
}

/* One transaction and one round trip: finds the account, settles a referral that waited
 * for it, takes the messenger's id from whoever has it, links it, and reads the customer
 * as he is now. Without an account the statements behind the first change nothing. */
static void link_found(struct wf_run *run)
{
    const json_t *given = run->scratch;
    const char *telegram = wf_member(given, "telegramId", NULL);

    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_found, run->project_id,
                    wf_member(given, "forms", NULL), wf_member(given, "email", NULL),
                    wf_member(given, "userId", NULL));
    wf_referral_add(run, NULL);
    (void)wf_db_add(run, WF_SQL_user_detach, NULL, run->project_id, telegram, "false");
    (void)wf_db_add(run, WF_SQL_user_activate, NULL, run->project_id, telegram,
                    wf_member(given, "username", NULL), NULL, "false");
    run->work.person_asked = wf_person_wanted(run);
    if (run->work.person_asked)
        (void)wf_db_add(run, WF_SQL_customer, run->project_id, NULL, telegram, NULL,
                        run->engine->settings.timezone);
    wf_db_run(run, linked, link_refused);
}

static void linked(struct wf_run *run)
{
    json_t *user = wf_loads(wf_db_value(run, ACTIVATE, 0, WF_COL_user_activate_customer));
    size_t detached = wf_db_rows(run, DETACH);
    const char *id = wf_member(user, "id", NULL);

    if (id == NULL) {
        json_decref(user);
        run->resume(run, not_found(run));
        return;
    }
    for (size_t row = 0; row < detached; row++)
        wf_person_changed(run, wf_db_value(run, DETACH, row, WF_COL_user_detach_id));
    wf_referral_done(run, REFERRAL,
                     wf_db_true(run, FIND, 0, WF_COL_user_found_has_referral));
    run->effect = true;
    wf_person_set(run, id);
    wf_person_changed(run, id);
    wf_person_remember(run, id);
    if (run->work.person_asked)
        wf_person_take(run, PERSON);
    wf_run_set(run, "linkedUser", user, 0);
    run->resume(run, wf_node_next());
}

static void link_refused(struct wf_run *run)
{
    if (wf_referral_refused(run))
        link_found(run);
    else
        run->resume(run, wf_node_fail(run, "database: %s", wf_db_message(run)));
}
