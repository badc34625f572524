#include "workflow/outbox/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/jobs/delay_job.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/steps/wait_timeout.h"

#define LATER_MS 200

/* --- whose */

static const char *update_of(const struct wf_run *run)
{
    return run->event.update_id != NULL ? run->event.update_id : "";
}

const char *wf_job_key(struct wf_run *run)
{
    if (run->job_key == NULL)
        run->job_key = wf_printf(
            "%s:%s:%s@%lld/%s/%s", wf_job_prefix(run), run->engine->queue, wf_job_id(run),
            (long long)wf_job_timestamp(run), run->project_id, update_of(run));
    return run->job_key;
}

char *wf_job_atm(const struct wf_run *run)
{
    return wf_printf("%u", wf_job_attempts_made(run));
}

void wf_job_execution_id(struct wf_run *run, char id[WF_ID_SIZE])
{
    char *text = wf_printf("%s#%u", wf_job_key(run), wf_job_attempts_made(run));

    wf_id_of(text, id);
    free(text);
}

json_t *wf_job_owner(const struct wf_run *run)
{
    json_t *owner = wf_must(json_object());

    wf_json_set(owner, "timestamp", json_integer(wf_job_timestamp(run)));
    wf_json_set_text(owner, "projectId", run->project_id);
    wf_json_set_text(owner, "updateId", run->event.update_id);
    return owner;
}

bool wf_job_owns(const struct wf_run *run, const json_t *checkpoint)
{
    const json_t *owner = json_object_get(checkpoint, "job");

    return json_is_object(owner) &&
           json_integer_value(json_object_get(owner, "timestamp")) ==
               wf_job_timestamp(run) &&
           strcmp(wf_member(owner, "projectId", ""), run->project_id) == 0 &&
           strcmp(wf_member(owner, "updateId", ""), update_of(run)) == 0;
}

/* --- what a row says */

/* The end of a job's key: its project and update. */
static bool same_update(const struct wf_run *run, const char *key)
{
    const char *at = strrchr(key, '@');

    at = at != NULL ? strchr(at, '/') : NULL;
    if (at == NULL || run->event.update_id == NULL)
        return false;
    at++;
    return strncmp(at, run->project_id, strlen(run->project_id)) == 0 &&
           at[strlen(run->project_id)] == '/' &&
           strcmp(at + strlen(run->project_id) + 1, run->event.update_id) == 0;
}

static enum wf_testimony read_own(const struct wf_run *run, const json_t *entry,
                                  bool *result)
{
    const json_t *ended = json_object_get(entry, "result");

    if (!json_is_boolean(ended))
        return WF_SAYS_NAMED;
    *result = json_is_true(ended);
    return json_integer_value(json_object_get(entry, "atm")) ==
                   (json_int_t)wf_job_attempts_made(run)
               ? WF_SAYS_OVER
               : WF_SAYS_AGAIN;
}

enum wf_testimony wf_witness_read(struct wf_run *run, const json_t *payload, bool *result)
{
    enum wf_testimony says = WF_SAYS_NOTHING;
    const char *key = wf_job_key(run);
    json_t *entry;
    size_t i;

    json_array_foreach(json_object_get(payload, "jobs"), i, entry)
    {
        const char *job = wf_member(entry, "job", "");

        if (strcmp(job, key) == 0)
            says = read_own(run, entry, result);
        else if (says == WF_SAYS_NOTHING && same_update(run, job))
            says = WF_SAYS_UPDATE;
    }
    if ((says == WF_SAYS_NAMED || says == WF_SAYS_NOTHING) &&
        strcmp(wf_member(payload, "claimedBy", ""), key) == 0)
        says = json_is_object(json_object_get(payload, "checkpoint")) ? WF_SAYS_KEPT
                                                                      : WF_SAYS_NAMED;
    return says;
}

/* --- a claim that the database has lost */

bool wf_witness_is_older(const struct wf_row *row, enum wf_testimony says, bool resumed,
                         int64_t steps)
{
    return resumed && says == WF_SAYS_NOTHING && row->status != NULL &&
           strcmp(row->status, "waiting") == 0 && row->steps <= steps;
}

static void claimed_again(struct wf_run *run)
{
    if (wf_db_rows(run, 0) == 0)
        wf_run_later(run, LATER_MS);
    else
        run->after_checkpoint(run);
}

void wf_witness_claim(struct wf_run *run, const struct wf_row *row, int64_t steps,
                      wf_step *then)
{
    char *id = wf_strdup(row->id), *atm = wf_job_atm(run), before[24];

    bw_log(wf_job_log(run), BW_LOG_WARNING,
           "the database has come back older; the execution is claimed again",
           bw_text("execution", id));
    (void)snprintf(before, sizeof(before), "%lld", (long long)steps);
    run->after_checkpoint = then;
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_claim_again, [WF_ARG_claim_again_execution] = id,
                    [WF_ARG_claim_again_project] = run->project_id,
                    [WF_ARG_claim_again_job] = wf_job_key(run),
                    [WF_ARG_claim_again_atm] = atm, [WF_ARG_claim_again_steps] = before);
    free(atm);
    free(id);
    wf_db_run(run, claimed_again, NULL);
}

/* --- a job that is over */

static void answer(struct wf_run *run)
{
    wf_run_answer(run, run->result);
}

void wf_witness_over(struct wf_run *run, const struct wf_row *row, bool result)
{
    bool waits = strcmp(row->status, "waiting") == 0;
    bool delay = waits && row->wait_type != NULL && strcmp(row->wait_type, "delay") == 0;

    bw_log(wf_job_log(run), BW_LOG_INFO, "the job is done already: its row says so",
           bw_text("execution", row->id));
    run->result = result;
    run->status = waits ? "waiting" : "completed";
    wf_set(&run->x.id, row->id);
    wf_set(&run->x.workflow_id, row->workflow_id);
    run->x.steps = row->steps;
    json_decref(run->out.payload);
    run->out.payload = row->payload != NULL
                           ? wf_must(json_deep_copy((json_t *)(uintptr_t)row->payload))
                           : NULL;
    if (delay && *wf_member(row->payload, "jobId", "") != '\0') {
        wf_set(&run->out.target, row->node);
        wf_delay_add(run, answer);
    } else if (!delay && wf_timeout_set(run)) {
        wf_timeout_add(run, answer);
    } else {
        answer(run);
    }
}
