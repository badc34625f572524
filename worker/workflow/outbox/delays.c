#include "workflow/outbox/delays.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/run/job.h"
#include "workflow/run/task.h"
#include "workflow/base/iso.h"

#define AGAIN_MS 5000
#define TELL_MS  60000

static wf_step add_answered, not_added;

static void added(bool ok, const char *error, void *arg)
{
    struct wf_run *run = arg;

    wf_set(&run->outbox.delays.error, ok ? NULL : error);
    wf_run_post(run, run->step);
}

/* A job about this execution. `data` is taken; ids it lacks are added. §1.2, §1.3 */
static void enqueue(struct wf_run *run, const char *id, int64_t delay_ms, json_t *data,
                    wf_step *then)
{
    const struct wf_effects *effects = run->engine->effects;
    char *text, *opts;

    BW_ASSERT(run->execution.id != NULL && then != NULL);
    wf_json_set_text(data, "executionId", run->execution.id);
    wf_json_set_text(data, "projectId", run->project_id);
    wf_json_set_text(data, "workflowId", run->execution.workflow_id);
    wf_json_set(data, "delayMs", json_integer(delay_ms));
    wf_json_set(data, "createdAt", json_integer(wf_engine_now_ms(run->engine)));
    text = wf_dumps(data);
    json_decref(data);
    opts = wf_printf("{\"jobId\":\"%s\",\"delay\":%lld,\"attempts\":3,\"backoff\":{"
                     "\"type\":\"exponential\",\"delay\":2000},\"removeOnComplete\":1000,"
                     "\"removeOnFail\":100}",
                     id, (long long)delay_ms);
    run->outbox.delays.then = then;
    run->step = add_answered;
    effects->add_job(effects->arg, run->job, run->engine->settings.queue_delays,
                     "delay-task", text, opts, added, run);
    free(text);
    free(opts);
}

static void add_answered(struct wf_run *run)
{
    BW_ASSERT(run->outbox.delays.then != NULL);
    if (run->outbox.delays.error != NULL)
        not_added(run);
    else
        run->outbox.delays.then(run);
}

/* Redis is away or refuses: the operator's problem (worker/workflow/spec/workflow.md
 * §1.4.1). The row waits already, and says to the job's next start that nothing but this
 * is left to do. */
static void not_added(struct wf_run *run)
{
    if (wf_job_cancelled(run) && wf_run_lost(run))
        return;
    if (wf_memory_set_new(run->engine->local, "delay not added", "", TELL_MS))
        bw_log(wf_job_log(run), BW_LOG_WARNING,
               "a delay could not be put on its queue; its job tries again",
               bw_text("reason", run->outbox.delays.error));
    wf_run_put_off(run, wf_engine_now_ms(run->engine) + AGAIN_MS, false);
}

void wf_delay_add(struct wf_run *run, wf_step *then)
{
    json_t *data = wf_must(json_object());

    wf_json_set_text(data, "nodeId", run->out.target);
    enqueue(run, wf_member(run->out.payload, "jobId", ""),
            json_integer_value(json_object_get(run->out.payload, "delayMs")), data, then);
}

bool wf_timeout_set(const struct wf_run *run)
{
    return run->ending.status == WF_STATUS_WAITING &&
           *wf_member(run->out.payload, "expiresAt", "") != '\0';
}

void wf_timeout_add(struct wf_run *run, wf_step *then)
{
    json_t *data = wf_must(json_object());
    char *id =
        wf_printf("timeout-%s-%lld", run->execution.id, (long long)run->execution.steps);

    wf_json_set_text(data, "nodeId", wf_member(run->out.payload, "nodeId", ""));
    wf_json_set(data, "waitTimeout", json_true());
    enqueue(run, id, json_integer_value(json_object_get(run->out.payload, "timeoutMs")),
            data, then);
    free(id);
}

bool wf_timeout_passed(const struct wf_run *run)
{
    const char *ends = wf_member(run->execution.wait_payload, "expiresAt", "");
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    return *ends != '\0' && strcmp(ends, now) <= 0; /* the form sorts by time */
}
