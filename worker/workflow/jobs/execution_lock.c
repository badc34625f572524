#include "workflow/jobs/execution_lock.h"

#include "workflow/base/mem.h"
#include "workflow/outbox/token.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/run/io.h"
#include "workflow/run/run_keys.h"
#include "workflow/run/task.h"
#include "workflow/run/chat.h"

#define WAIT_MS  5000
#define PAUSE_MS 20
#define LATER_MS 200

enum { LOCK, CHECKPOINT, HELD };

static wf_step try_lock, tried, again;

void wf_execution_enter(struct wf_run *run, const char *id, wf_step *then)
{
    wf_lock_init(&run->chat.lock, wf_printf("lock:execution:%s", id));
    run->chat.lock_until = bw_mono_add_ms(wf_engine_mono(run->engine), WAIT_MS);
    run->chat.then = then;
    try_lock(run);
}

static void try_lock(struct wf_run *run)
{
    (void)wf_run_keys(run);
    (void)wf_kv_add(&run->kv, WF_KV_SET_NEW, wf_strdup(run->chat.lock.key),
                    wf_strdup(run->chat.lock.token), run->engine->settings.lock_ttl_ms);
    (void)wf_kv_add(&run->kv, WF_KV_GET, wf_checkpoint_key(run), NULL, 0);
    (void)wf_kv_add(&run->kv, WF_KV_GET, wf_token_key(run), NULL, 0);
    wf_run_kv(run, tried);
}

static void tried(struct wf_run *run)
{
    run->attempt.unsure =
        wf_kv_at(&run->kv, LOCK)->memory || wf_kv_at(&run->kv, CHECKPOINT)->memory;
    if (run->attempt.unsure && wf_redis_hiccups(&run->engine->keys.health)) {
        if (!wf_run_lost(run))
            wf_run_after(run, PAUSE_MS, again);
        return;
    }
    if (wf_kv_at(&run->kv, LOCK)->yes) {
        wf_chat_locked(run);
        run->attempt.was_done =
            wf_checkpoint_take(run, wf_kv_at(&run->kv, CHECKPOINT)->text,
                               &run->ending.result) &&
            !run->attempt.unsure;
        if (run->attempt.unsure) { /* memory is no witness */
            json_decref(run->attempt.restored);
            run->attempt.restored = NULL;
        }
        wf_token_admit(run, wf_kv_at(&run->kv, HELD)->text, run->chat.then);
    } else if (wf_run_lost(run)) {
        return;
    } else if (bw_mono_before(run->chat.lock_until, wf_engine_mono(run->engine))) {
        wf_run_later(run, LATER_MS);
    } else {
        wf_run_after(run, PAUSE_MS, again);
    }
}

static void again(struct wf_run *run)
{
    wf_lock_forget(&run->chat.lock, &run->engine->keys);
    try_lock(run);
}
