#include "workflow/outbox/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/outbox/delays.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/job_key.h"

#define LATER_MS 200

static wf_step claimed_again, answer;

/* --- what a row says */

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
    return resumed && says == WF_SAYS_NOTHING && row->status == WF_STATUS_WAITING &&
           row->steps <= steps;
}

void wf_witness_claim(struct wf_run *run, const struct wf_row *row, int64_t steps,
                      wf_step *then)
{
    char *id = wf_strdup(row->id), *atm = wf_job_atm(run), before[24];

    bw_log(wf_job_log(run), BW_LOG_WARNING,
           "the database has come back older; the execution is claimed again",
           bw_text("execution", id));
    (void)snprintf(before, sizeof(before), "%lld", (long long)steps);
    run->outbox.claimed = then;
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_claim_again, [WF_ARG_claim_again_execution] = id,
                    [WF_ARG_claim_again_project] = run->project_id,
                    [WF_ARG_claim_again_job] = wf_job_key(run),
                    [WF_ARG_claim_again_atm] = atm, [WF_ARG_claim_again_steps] = before);
    free(atm);
    free(id);
    wf_db_run(run, claimed_again, NULL);
}

static void claimed_again(struct wf_run *run)
{
    if (wf_db_rows(run, 0) == 0)
        wf_run_later(run, LATER_MS);
    else
        run->outbox.claimed(run);
}

/* --- a job that is over */

void wf_witness_over(struct wf_run *run, const struct wf_row *row, bool result)
{
    bool waits = row->status == WF_STATUS_WAITING;
    bool delay = waits && row->wait_type == WF_WAIT_DELAY;

    BW_ASSERT(row->id != NULL && run->outer == NULL);
    bw_log(wf_job_log(run), BW_LOG_INFO, "the job is done already: its row says so",
           bw_text("execution", row->id));
    run->ending.result = result;
    run->ending.status = waits ? WF_STATUS_WAITING : WF_STATUS_COMPLETED;
    wf_set(&run->execution.id, row->id);
    wf_set(&run->execution.workflow_id, row->workflow_id);
    run->execution.steps = row->steps;
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

static void answer(struct wf_run *run)
{
    wf_run_answer(run, run->ending.result);
}
