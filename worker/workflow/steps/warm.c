/* A new execution without a look-up: nothing waits in the chat, and what will run needs
 * nothing of the database but its customer, who is in the cache.
 *
 * The flush of the run before asked the database whether anything else was open in the
 * chat; where nothing was, a key says so for less than a minute ("idle"), with the
 * session that the next execution goes on with. It is taken away by the next event of the
 * chat, whatever becomes of it, and by every wait. Trusted it is only when
 *
 * - the event is a person's own, in a private chat, and the job's first attempt (an
 *   attempt before may have left a row to go on from);
 * - no wait of the chat is in Redis, ours or Node's, and Node has started nothing for
 * this person since: it counts its starts in a key that outlives ours;
 * - Redis has not failed us since it may have been written;
 * - the job is younger than the connections to Redis, which might have come back older;
 * - no node that can be reached reads a variable that it would have to load (plain.h). */
#include "workflow/steps/warm.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/language/graph/trigger.h"
#include "workflow/run/wait_keys.h"
#include "workflow/run/person.h"
#include "workflow/language/event.h"

#define SKEW_MS 250   /* of the producers' clocks */
#define IDLE_MS 50000 /* Node's counter of starts stays for 60 s */

char *wf_warm_key(const struct wf_run *run)
{
    return wf_printf("workflow:idle:%s:%s", run->project_id, run->event.chat_id);
}

static bool is_own_chat(const struct wf_run *run)
{
    return run->chat.has_turn && run->event.from_id != NULL &&
           strcmp(run->event.from_id, run->event.chat_id) == 0;
}

/* --- the event */

void wf_warm_hear(struct wf_run *run, const char *text)
{
    json_decref(run->steps.warm.idle);
    run->steps.warm.idle = wf_loads(text);
}

/* A job that was there before the connections may have been run before, by somebody whose
 * marks Redis has lost since: only the database knows. */
static bool is_old(const struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;

    return effects->redis_since == NULL ||
           wf_job_timestamp(run) < effects->redis_since(effects->arg) + SKEW_MS;
}

static bool is_known(const struct wf_run *run, const json_t *idle)
{
    char *user_id = wf_person_recall(run);
    bool same = user_id != NULL && strcmp(user_id, wf_member(idle, "userId", "")) == 0;

    free(user_id);
    return same;
}

static bool may_start(const struct wf_run *run)
{
    const struct wf_node *trigger;

    if (!is_own_chat(run) || run->event.kind == WF_EVENT_OTHER ||
        wf_job_attempts_started(run) > 1 || run->attempt.unsure || is_old(run) ||
        run->event.first_name == NULL || run->event.username == NULL || run->redis_away ||
        wf_redis_failed_lately(&run->engine->keys.health) || run->graph == NULL ||
        strcmp(wf_member(run->steps.warm.idle, "workflowId", ""),
               run->graph->workflow_id) != 0 ||
        *wf_member(run->steps.warm.idle, "sessionId", "") == '\0' ||
        !is_known(run, run->steps.warm.idle))
        return false;
    trigger = wf_graph_trigger(run->graph, &run->event);
    return trigger != NULL && trigger->starts_plain;
}

void wf_warm_keys(struct wf_run *run)
{
    static const enum wf_wait_type types[] = { WF_WAIT_CONTACT, WF_WAIT_INPUT,
                                               WF_WAIT_CALLBACK, WF_WAIT_LOCATION,
                                               WF_WAIT_POLL };

    run->steps.warm.at = 0;
    if (run->steps.warm.idle == NULL)
        return;
    (void)wf_kv_add(&run->kv, WF_KV_DELETE, wf_warm_key(run), NULL, 0);
    if (!may_start(run))
        return;
    run->steps.warm.at = wf_kv_add(&run->kv, WF_KV_EXISTS,
                                   wf_printf("rate_limit:WORKFLOW_EXECUTION:%s:%s",
                                             run->project_id, run->event.from_id),
                                   NULL, 0);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        (void)wf_kv_add(&run->kv, WF_KV_EXISTS, wf_node_waiting_key(run, types[i]), NULL,
                        0);
}

bool wf_warm_ready(struct wf_run *run, bool waits)
{
    bool free_chat = run->steps.warm.at != 0 && !waits;

    for (size_t i = run->steps.warm.at; free_chat && i < run->kv.count; i++) {
        const struct wf_kv_item *item = wf_kv_at(&run->kv, i);

        free_chat = !item->yes && !item->memory;
    }
    run->steps.warm.at = 0;
    if (!free_chat || (wf_person_wanted(run) && !run->person.known))
        return false;
    wf_person_set(run, wf_member(run->steps.warm.idle, "userId", NULL));
    run->steps.warm.on = true;
    return true;
}

const char *wf_warm_session(const struct wf_run *run)
{
    BW_ASSERT(run->steps.warm.on);
    return run->event.kind == WF_EVENT_START
               ? NULL
               : wf_member(run->steps.warm.idle, "sessionId", NULL);
}

void wf_warm_leave(struct wf_run *run, bool nothing_else)
{
    json_t *value;

    BW_ASSERT(run->execution.session_id != NULL);
    if (!nothing_else || run->personal.moved || !is_own_chat(run) ||
        run->user_id == NULL) {
        (void)wf_kv_add(&run->kv, WF_KV_DELETE, wf_warm_key(run), NULL, 0);
        return;
    }
    value = wf_must(json_object());
    wf_json_set_text(value, "sessionId", run->execution.session_id);
    wf_json_set_text(value, "workflowId", run->execution.workflow_id);
    wf_json_set_text(value, "userId", run->user_id);
    (void)wf_kv_add(&run->kv, WF_KV_SET, wf_warm_key(run), wf_dumps(value), IDLE_MS);
    json_decref(value);
}
