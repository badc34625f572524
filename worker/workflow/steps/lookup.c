/* worker/workflow/spec/workflow.md §3.6: which execution the event belongs to, and the
 * claim on it.
 *
 * The wait in the cache is claimed at once, together with everything the run needs to go
 * on: one round trip. Without it one trip looks everything up, and a second claims. */
#include "workflow/steps/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/language/graph/trigger.h"
#include "workflow/run/wait_keys.h"
#include "workflow/steps/waits.h"
#include "workflow/outbox/witness.h"
#include "workflow/run/ahead.h"
#include "workflow/run/io.h"
#include "workflow/run/job_key.h"
#include "workflow/run/person.h"
#include "workflow/run/values.h"
#include "workflow/steps/begin.h"
#include "workflow/steps/restore.h"
#include "workflow/steps/resume_run.h"
#include "workflow/steps/warm.h"
#include "workflow/base/ids.h"
#include "workflow/language/event.h"

#define LATER_MS 200

/* Places in the batches. */
enum { FIRST = 0, PRELOAD = 1, PERSON = 2 };

static wf_step claimed, claim_taken, take_claim, ask_database, looked_up, begin_warm,
    forget_cancelled, begin_new;
static const char *cell(const struct wf_run *run, size_t row, size_t column);
static enum wf_status status_of(const struct wf_run *run, size_t row);
static enum wf_wait_type wait_of(const struct wf_run *run, size_t row);
static bool is_waiting(const struct wf_run *run, size_t row);

void wf_lookup_keys(struct wf_run *run)
{
    char *user_id = NULL;

    run->steps.lookup.waiting_at = run->steps.lookup.variables_at = 0;
    if (run->steps.pointer != NULL && run->event.kind != WF_EVENT_START &&
        run->event.kind != WF_EVENT_OTHER)
        run->steps.lookup.waiting_at = wf_kv_add(
            &run->kv, WF_KV_GET, wf_waiting_key(run, run->steps.pointer), NULL, 0);
    if (wf_person_wanted(run))
        user_id = wf_person_recall(run);
    if (user_id != NULL) {
        wf_set(&run->user_id, user_id); /* a guess until the database confirms it */
        run->steps.lookup.variables_at = wf_kv_add(
            &run->kv, WF_KV_GET,
            wf_person_key(run, run->engine->settings.key_user_variables, user_id), NULL,
            0);
    }
    free(user_id);
}

static bool callback_matches(const struct wf_run *run)
{
    return run->event.kind == WF_EVENT_CALLBACK &&
           wf_graph_callback_trigger(run->graph, &run->event) != NULL;
}

static bool is_group(const struct wf_run *run)
{
    const char *type = run->event.chat_type;

    return type != NULL &&
           (strcmp(type, "group") == 0 || strcmp(type, "supergroup") == 0);
}

/* New: the beginning of this person's sessions in a group, NULL in a private chat (§3.5).
 */
static char *group_prefix(const struct wf_run *run)
{
    if (!is_group(run))
        return NULL;
    return wf_printf("%s_%s", run->event.chat_id,
                     run->event.from_id != NULL ? run->event.from_id : "unknown");
}

/* The job's own executionId where it can be a row's (§3.4). */
static const char *hint(const struct wf_run *run)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-";
    const char *id = wf_member(run->data, "executionId", "");
    size_t len = strlen(id);

    return len >= 8 && len <= 191 && strspn(id, allowed) == len ? id : NULL;
}

/* The batch's rest: variables of that session, and the customer if he is needed and not
 * known. */
static void add_rest(struct wf_run *run, const char *session, const char *workflow,
                     const char *execution, const char *waits_at)
{
    wf_set(&run->steps.preloaded, session);
    (void)wf_run_preload_add(run, session, workflow, execution);
    run->steps.lookup.person_asked =
        !run->steps.lookup.bare && wf_person_wanted(run) && !run->person.known;
    if (run->steps.lookup.person_asked)
        (void)wf_person_add(run, execution);
    if (!run->steps.lookup.bare)
        wf_ahead_add(run, waits_at);
}

/* The customer the database names; what the cache said of another does not count. */
static void confirm_person(struct wf_run *run, const char *user_id)
{
    if (user_id != NULL)
        wf_person_remember(run, user_id);
    wf_person_set(run, user_id);
}

/* What is read along is not worth failing for: the node that needs it reads it again, and
 * fails by itself. */
static void refused(struct wf_run *run)
{
    if (run->steps.lookup.bare || wf_db_is_vital(run)) {
        wf_db_refused(run);
        return;
    }
    run->steps.lookup.bare = true;
    wf_set(&run->steps.pointer, NULL);
    ask_database(run);
}

/* --- the claim (§3.7.1) */

static void claim(struct wf_run *run, const char *id, const char *session,
                  const char *workflow, const char *node)
{
    char *types = wf_waits_accepted(&run->event, callback_matches(run));
    char *prefix = group_prefix(run), *atm = wf_job_atm(run);

    BW_ASSERT(id != NULL && session != NULL);
    wf_db_begin(run);
    (void)wf_db_add(
        run, WF_SQL_claim, [WF_ARG_claim_project] = run->project_id,
        [WF_ARG_claim_chat] = run->event.chat_id, [WF_ARG_claim_preferred] = hint(run),
        [WF_ARG_claim_other] = id, [WF_ARG_claim_wait_types] = types,
        [WF_ARG_claim_job] = wf_job_key(run),
        [WF_ARG_claim_telegram_id] = wf_db_bigint(run->event.from_id),
        [WF_ARG_claim_person] = prefix, [WF_ARG_claim_atm] = atm);
    add_rest(run, session, workflow, id, node);
    free(types);
    free(prefix);
    free(atm);
    wf_db_run(run, claimed, refused);
}

static void claimed(struct wf_run *run)
{
    char *user_id;

    if (wf_db_rows(run, FIRST) == 0) { /* WF-038, WF-047: stale, or someone was faster */
        wf_waiting_forget(run, run->steps.pointer);
        wf_set(&run->steps.pointer, NULL);
        wf_lookup(run);
        return;
    }
    take_claim(run);
    if (json_is_object(json_object_get(run->execution.wait_payload, "checkpoint"))) {
        wf_restore_row(run, run->execution.wait_payload); /* claimed before, by an attempt
                                                     that went on without Redis */
        return;
    }
    user_id = wf_strdup(wf_db_value(run, FIRST, 0, WF_COL_claim_user));
    wf_ahead_keep(run);
    if (run->steps.lookup.person_asked)
        wf_person_take(run, PERSON);
    confirm_person(run, user_id);
    free(user_id);
    if (strcmp(run->execution.session_id, run->steps.preloaded) == 0) {
        wf_run_preload_take(run, PRELOAD, true);
        wf_resume(run);
        return;
    }
    /* the job's own executionId was another wait than the one that was expected */
    wf_set(&run->steps.preloaded, run->execution.session_id);
    wf_db_begin(run);
    (void)wf_run_preload_add(run, run->execution.session_id, run->execution.workflow_id,
                             run->execution.id);
    wf_db_run(run, claim_taken, NULL);
}

static void claim_taken(struct wf_run *run)
{
    wf_run_preload_take(run, 0, true);
    wf_resume(run);
}

static void take_claim(struct wf_run *run)
{
    struct wf_execution *x = &run->execution;

    BW_ASSERT(wf_db_rows(run, FIRST) > 0);
    wf_set(&x->id, wf_db_value(run, FIRST, 0, WF_COL_claim_execution));
    wf_set(&x->session_id, wf_db_value(run, FIRST, 0, WF_COL_claim_session));
    wf_set(&x->workflow_id, wf_db_value(run, FIRST, 0, WF_COL_claim_workflow));
    x->version = (int)wf_db_number(run, FIRST, 0, WF_COL_claim_version);
    x->steps = x->steps_before = wf_db_number(run, FIRST, 0, WF_COL_claim_steps);
    x->wait_type = wf_wait_type_of(wf_db_value(run, FIRST, 0, WF_COL_claim_wait_type));
    json_decref(x->wait_payload);
    x->wait_payload = wf_loads(wf_db_value(run, FIRST, 0, WF_COL_claim_wait_payload));
    wf_set(&x->current_node_id, wf_db_value(run, FIRST, 0, WF_COL_claim_node));
    x->stored = x->resumed = true;
}

/* WF-037: the wait is in the cache, and the event is for it. */
static bool claim_cached(struct wf_run *run, const json_t *cached)
{
    const char *id = wf_member(cached, "executionId", NULL);

    if (id == NULL || run->steps.pointer == NULL ||
        strcmp(wf_member(cached, "projectId", ""), run->project_id) != 0 ||
        strcmp(wf_member(cached, "chatId", ""), run->event.chat_id) != 0 ||
        !wf_waits_accepts(&run->event, callback_matches(run),
                          wf_wait_type_of(wf_member(cached, "waitType", NULL))))
        return false;
    claim(run, id, run->steps.pointer, wf_member(cached, "workflowId", ""),
          wf_member(cached, "currentNodeId", ""));
    return true;
}

/* --- the look-up, and what its rows say of this very job (§3.9.2) */

static void ask_database(struct wf_run *run)
{
    char *prefix = group_prefix(run), seconds[24], own[WF_ID_SIZE];
    bool is_start = run->event.kind == WF_EVENT_START;

    BW_ASSERT(run->graph != NULL);
    (void)snprintf(seconds, sizeof(seconds), "%lld",
                   (long long)run->engine->settings.reuse_seconds);
    wf_job_execution_id(run, own);
    wf_db_begin(run);
    (void)wf_db_add(
        run, WF_SQL_lookup, [WF_ARG_lookup_project] = run->project_id,
        [WF_ARG_lookup_chat] = run->event.chat_id, [WF_ARG_lookup_reuse_window] = seconds,
        [WF_ARG_lookup_telegram_id] = wf_db_bigint(run->event.from_id),
        [WF_ARG_lookup_person] = prefix, [WF_ARG_lookup_preferred] = hint(run),
        [WF_ARG_lookup_job] = wf_job_key(run),
        [WF_ARG_lookup_is_start] = is_start ? "true" : "false",
        [WF_ARG_lookup_begins] = own);
    add_rest(run, run->steps.pointer != NULL ? run->steps.pointer : "",
             run->graph->workflow_id, NULL, NULL);
    free(prefix);
    wf_db_run(run, looked_up, refused);
}

static struct wf_row row_at(const struct wf_run *run, size_t row, const json_t *payload)
{
    return (struct wf_row){ .id = cell(run, row, WF_COL_lookup_execution),
                            .workflow_id = cell(run, row, WF_COL_lookup_workflow),
                            .status = status_of(run, row),
                            .wait_type = wait_of(run, row),
                            .node = cell(run, row, WF_COL_lookup_node),
                            .steps = wf_db_number(run, FIRST, row, WF_COL_lookup_steps),
                            .payload = payload };
}

/* The row of an attempt that died behind its insertion. */
static bool is_own_start(const struct wf_run *run, size_t row)
{
    return status_of(run, row) == WF_STATUS_WAITING &&
           wf_db_value(run, FIRST, row, WF_COL_lookup_wait_type) == NULL &&
           strcmp(cell(run, row, WF_COL_lookup_workflow), run->graph->workflow_id) == 0;
}

/* Nothing is known of how far an attempt before has come. */
static bool cannot_tell(const struct wf_run *run, bool named)
{
    return run->attempt.unsure && (named || wf_job_attempts_started(run) > 1);
}

/* True: the run is on its way. */
static bool go_by_rows(struct wf_run *run)
{
    size_t rows = wf_db_rows(run, FIRST);
    bool named = false, gone = false;

    run->steps.lookup.own_row = SIZE_MAX;
    for (size_t row = 0; row < rows && !gone; row++) {
        json_t *payload =
            wf_loads(wf_db_value(run, FIRST, row, WF_COL_lookup_wait_payload));
        struct wf_row seen = row_at(run, row, payload);
        bool result = false;

        switch (wf_db_true(run, FIRST, row, WF_COL_lookup_same_project)
                    ? wf_witness_read(run, payload, &result)
                    : WF_SAYS_NOTHING) {
        case WF_SAYS_OVER:
            wf_witness_over(run, &seen, result);
            gone = true;
            break;
        case WF_SAYS_UPDATE: /* WF-016, though Redis has lost the mark */
            wf_run_answer(run, true);
            gone = true;
            break;
        case WF_SAYS_KEPT:
            wf_restore_row(run, payload);
            gone = true;
            break;
        case WF_SAYS_NAMED:
            named = true;
            if (is_own_start(run, row))
                run->steps.lookup.own_row = row;
            break;
        case WF_SAYS_AGAIN:
        case WF_SAYS_NOTHING:
            break;
        }
        json_decref(payload);
    }
    if (!gone && cannot_tell(run, named)) {
        wf_run_later(run, LATER_MS); /* Redis may know; it is asked again */
        gone = true;
    }
    return gone;
}

static void looked_up(struct wf_run *run)
{
    size_t rows = wf_db_rows(run, FIRST);
    bool matched = callback_matches(run), callback_waits = false;

    if (go_by_rows(run))
        return;

    wf_run_preload_take(run, PRELOAD, true);
    wf_ahead_keep(run);
    if (run->steps.lookup.person_asked)
        wf_person_take(run, PERSON);
    confirm_person(run, wf_db_value(run, FIRST, 0, WF_COL_lookup_customer));
    if (run->event.kind == WF_EVENT_START) {
        forget_cancelled(run);
        begin_new(run);
        return;
    }
    for (size_t row = 0; row < rows; row++) {
        enum wf_wait_type wait_type = wait_of(run, row);

        if (!is_waiting(run, row))
            continue;
        if (wf_waits_accepts(&run->event, matched, wait_type) &&
            !run->steps.lookup.again) {
            char *id = wf_strdup(cell(run, row, WF_COL_lookup_execution));
            char *session = wf_strdup(cell(run, row, WF_COL_lookup_session));
            char *workflow = wf_strdup(cell(run, row, WF_COL_lookup_workflow));
            char *node = wf_strdup(cell(run, row, WF_COL_lookup_node));

            run->steps.lookup.again = true;
            claim(run, id, session, workflow, node);
            free(id);
            free(session);
            free(workflow);
            free(node);
            return;
        }
        callback_waits = callback_waits || wait_type == WF_WAIT_CALLBACK;
    }
    if (run->event.kind == WF_EVENT_CALLBACK && !matched && callback_waits)
        wf_run_answer(run, false); /* WF-045: nothing to it; it stays waiting */
    else
        begin_new(run);
}

void wf_lookup(struct wf_run *run)
{
    json_t *cached = NULL;
    bool asked = run->steps.lookup.waiting_at != 0, warm;

    BW_ASSERT(run->graph != NULL && run->project != NULL);
    if (run->steps.lookup.variables_at != 0) {
        wf_person_take_cached(run,
                              wf_kv_at(&run->kv, run->steps.lookup.variables_at)->text);
        run->steps.lookup.variables_at = 0;
    }
    if (run->steps.lookup.waiting_at != 0) {
        cached = wf_loads(wf_kv_at(&run->kv, run->steps.lookup.waiting_at)->text);
        run->steps.lookup.waiting_at = 0;
    }
    warm = wf_warm_ready(run, cached != NULL);
    /* that nothing waits is an answer too; without a use for it, it is not counted */
    if (cached != NULL || warm || (asked && run->steps.warm.idle == NULL))
        wf_count_cache(&run->engine->counters, WF_CACHE_WAITING, cached != NULL || warm);
    if (warm)
        begin_warm(run);
    else if (!claim_cached(run, cached))
        ask_database(run);
    json_decref(cached);
}

/* Nothing is open in the chat, and nothing else is needed. */
static void begin_warm(struct wf_run *run)
{
    char *session = wf_strdup(wf_warm_session(run));

    BW_ASSERT(run->steps.warm.on && run->user_id != NULL);
    wf_set(&run->steps.preloaded, session);
    wf_begin(run, hint(run), false, session);
    free(session);
}

/* --- the database */

static const char *cell(const struct wf_run *run, size_t row, size_t column)
{
    const char *value = wf_db_value(run, FIRST, row, column);

    return value != NULL ? value : "";
}

static enum wf_status status_of(const struct wf_run *run, size_t row)
{
    return wf_status_of(cell(run, row, WF_COL_lookup_status));
}

static enum wf_wait_type wait_of(const struct wf_run *run, size_t row)
{
    return wf_wait_type_of(cell(run, row, WF_COL_lookup_wait_type));
}

static bool is_waiting(const struct wf_run *run, size_t row)
{
    return status_of(run, row) == WF_STATUS_WAITING &&
           wait_of(run, row) != WF_WAIT_DELAY &&
           wf_db_true(run, FIRST, row, WF_COL_lookup_same_chat) &&
           wf_db_true(run, FIRST, row, WF_COL_lookup_same_project);
}

/* /start ended these waits: their keys go too (§3.6.2). */
static void forget_cancelled(struct wf_run *run)
{
    size_t rows = wf_db_rows(run, FIRST);

    for (size_t row = 0; row < rows; row++) {
        if (is_waiting(run, row) && wf_waits_typed(wait_of(run, row)))
            wf_waiting_forget(run, cell(run, row, WF_COL_lookup_session));
    }
}

static bool same_workflow(const struct wf_run *run, size_t row)
{
    return run->graph != NULL && wf_db_true(run, FIRST, row, WF_COL_lookup_same_chat) &&
           wf_db_true(run, FIRST, row, WF_COL_lookup_same_project) &&
           strcmp(cell(run, row, WF_COL_lookup_workflow), run->graph->workflow_id) == 0;
}

/* Borrowed: the session a new execution goes on with (§3.5, §3.6.2), or NULL. */
static const char *session_to_reuse(const struct wf_run *run)
{
    size_t rows = wf_db_rows(run, FIRST);
    const char *any = NULL;

    for (size_t row = 0; row < rows; row++) {
        enum wf_status status = status_of(run, row);
        bool waiting = status == WF_STATUS_WAITING;

        if (!same_workflow(run, row))
            continue;
        if (run->event.kind == WF_EVENT_START) {
            if (waiting && wait_of(run, row) == WF_WAIT_CALLBACK)
                return cell(run, row, WF_COL_lookup_session);
            continue;
        }
        if (waiting || status == WF_STATUS_RUNNING)
            return cell(run, row, WF_COL_lookup_session);
        if (any == NULL)
            any = cell(run, row, WF_COL_lookup_session);
    }
    return any;
}

static void begin_new(struct wf_run *run)
{
    const char *id = hint(run);
    bool adopt = false;
    char *reuse;

    BW_ASSERT(run->graph != NULL);
    if (run->steps.lookup.own_row != SIZE_MAX) {
        char *own =
            wf_strdup(cell(run, run->steps.lookup.own_row, WF_COL_lookup_execution));

        reuse = wf_strdup(cell(run, run->steps.lookup.own_row, WF_COL_lookup_session));
        wf_begin(run, own, true, reuse);
        free(own);
        free(reuse);
        return;
    }
    if (id != NULL && wf_db_true(run, FIRST, 0, WF_COL_lookup_is_preferred)) {
        /* a row with that id: made for us by the producer, or somebody's */
        adopt = status_of(run, 0) == WF_STATUS_RUNNING &&
                wf_db_true(run, FIRST, 0, WF_COL_lookup_never_ran) &&
                wf_db_true(run, FIRST, 0, WF_COL_lookup_same_project);
        if (!adopt)
            id = NULL;
    }
    reuse =
        wf_strdup(adopt ? cell(run, 0, WF_COL_lookup_session) : session_to_reuse(run));
    wf_begin(run, id, adopt, reuse);
    free(reuse);
}
