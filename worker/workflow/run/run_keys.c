#include "workflow/run/run_keys.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/run/job.h"
#include "workflow/run/job_key.h"
#include "workflow/base/mem.h"

#define TTL_MS      3600000
#define TTL_LEFT_MS (7 * 24 * 3600000LL) /* of a job that is left for another attempt */

char *wf_checkpoint_key(const struct wf_run *run)
{
    return wf_printf("workflow:job:%s:%s:%s", wf_job_prefix(run), run->engine->queue,
                     wf_job_id(run));
}

char *wf_checkpoint_done(const struct wf_run *run)
{
    json_t *value = wf_must(json_object());
    char *text;

    wf_json_set(value, "job", wf_job_owner(run));
    wf_json_set(value, "atm", json_integer(wf_job_attempts_made(run)));
    wf_json_set_text(value, "executionId", run->execution.id);
    wf_json_set(value, "done", json_true());
    wf_json_set(value, "result", json_boolean(run->ending.result));
    text = wf_dumps(value);
    json_decref(value);
    return text;
}

static char *key_of(struct wf_engine *engine, const struct bw_job *job)
{
    const struct wf_job_effects *of = engine->effects->job;

    return wf_printf("workflow:job:%s:%s:%s", of->prefix(job), engine->queue,
                     of->id(job));
}

void wf_checkpoint_end(struct wf_engine *engine, const struct bw_job *job)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add(&kv, WF_KV_DELETE, key_of(engine, job), NULL, 0);
    wf_kv_send(&engine->keys, &kv);
}

void wf_checkpoint_outlive(struct wf_engine *engine, const struct bw_job *job,
                           int64_t delay_ms)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add(&kv, WF_KV_KEEP, key_of(engine, job), NULL,
                    TTL_MS + delay_ms + TTL_LEFT_MS);
    wf_kv_send(&engine->keys, &kv);
}

int64_t wf_checkpoint_ttl(const struct wf_run *run, int64_t until_ms)
{
    int64_t left = until_ms - wf_engine_now_ms(run->engine);

    return left > 0 ? TTL_MS + left : TTL_MS;
}

/* It outlives the delay, however long that turns out to be. */
void wf_checkpoint_renew(struct wf_run *run, int64_t until_ms)
{
    struct wf_kv kv = { 0 };

    if (run->attempt.seq == 0) /* there is none */
        return;
    (void)wf_kv_add(&kv, WF_KV_KEEP, wf_checkpoint_key(run), NULL,
                    wf_checkpoint_ttl(run, until_ms) + TTL_LEFT_MS);
    wf_kv_send(&run->engine->keys, &kv);
}
