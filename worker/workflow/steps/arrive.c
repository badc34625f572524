/* worker/workflow/spec/workflow.md §3.1 steps 1 to 7: from the queue to a run that knows
 * its project, its graph and that it may go on.
 *
 * Warm, this takes two turns to Redis and none to the database. */
#include "workflow/steps/arrive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/steps/address.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/outbox/throttle.h"
#include "workflow/outbox/token.h"
#include "workflow/run/versions.h"
#include "workflow/run/wait_keys.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/outbox/send.h"
#include "workflow/run/io.h"
#include "workflow/run/job_key.h"
#include "workflow/run/run_keys.h"
#include "workflow/run/task.h"
#include "workflow/steps/lookup.h"
#include "workflow/steps/restore.h"
#include "workflow/steps/warm.h"
#include "workflow/run/chat.h"

#define DEDUPE_TTL_MS  86400000
#define LOCK_PAUSE_MS  20
#define LATER_MS       200
#define RATE_WINDOW_MS 60000

/* Places of the first group of keys. */
enum first_keys { CHECKPOINT, UPDATE_SET, UPDATE_GET };

static wf_step enter, try_lock, lock_tried, entered, load, load_rest, loaded, judge,
    look_up, counted, limited;

void wf_arrive(struct wf_run *run)
{
    BW_ASSERT(run->event.chat_id != NULL && run->chat.key == NULL);
    run->chat.key = wf_printf("lock:chat:%s:%s", run->project_id, run->event.chat_id);
    wf_lock_init(&run->chat.lock, wf_strdup(run->chat.key));
    run->chat.turn.key = run->chat.key;
    run->chat.turn.order =
        run->event.update_id != NULL ? strtoll(run->event.update_id, NULL, 10) : 0;
    run->step = enter;
    run->chat.has_turn = true;
    if (wf_chats_enter(&run->engine->chats, &run->chat.turn))
        enter(run);
}

static size_t add_chat_keys(struct wf_run *run)
{
    struct wf_kv *kv = &run->kv;
    const struct wf_settings *settings = &run->engine->settings;
    size_t lock = wf_kv_add(kv, WF_KV_SET_NEW, wf_strdup(run->chat.lock.key),
                            wf_strdup(run->chat.lock.token), settings->lock_ttl_ms);

    /* read behind the lock: right if the lock was obtained, read again if not */
    (void)wf_kv_add(kv, WF_KV_GET, wf_pointer_key(run), NULL, 0);
    (void)wf_kv_add(kv, WF_KV_DIGEST, wf_versions_node_key(run), NULL, 0);
    (void)wf_kv_add(kv, WF_KV_GET, wf_warm_key(run), NULL, 0);
    (void)wf_kv_add(kv, WF_KV_GET, wf_token_key(run), NULL, 0);
    (void)wf_kv_add(kv, WF_KV_GET, wf_pause_key(run, run->event.chat_id), NULL, 0);
    return lock;
}

static void enter(struct wf_run *run)
{
    struct wf_kv *kv = wf_run_keys(run);

    run->chat.lock_until =
        bw_mono_add_ms(wf_engine_mono(run->engine), run->engine->settings.chat_wait_ms);
    (void)wf_kv_add(kv, WF_KV_GET, wf_checkpoint_key(run), NULL, 0);
    if (run->event.update_id != NULL) {
        char *key =
            wf_printf("workflow:update:%s:%s", run->project_id, run->event.update_id);

        (void)wf_kv_add(kv, WF_KV_SET_NEW, wf_strdup(key), wf_strdup(wf_job_key(run)),
                        DEDUPE_TTL_MS);
        (void)wf_kv_add(kv, WF_KV_GET, key, NULL, 0);
    }
    (void)add_chat_keys(run);
    wf_run_kv(run, entered);
}

/* What is not there allows effects; so it counts only if Redis has said it (§3.9.2). */
static bool unanswered(const struct wf_run *run)
{
    for (size_t i = 0; i < run->kv.count; i++) {
        if (wf_kv_at(&run->kv, i)->memory)
            return true;
    }
    return false;
}

static void release_if_locked(struct wf_run *run, size_t lock)
{
    if (wf_kv_at(&run->kv, lock)->yes)
        wf_chat_locked(run);
}

/* The mark of the update is another job's. One that an earlier version has set holds the
 * job's id alone. */
static bool is_others(const char *owner, struct wf_run *run)
{
    return owner != NULL && strcmp(owner, wf_job_key(run)) != 0 &&
           strcmp(owner, wf_job_id(run)) != 0;
}

/* A pause of the chat, a hold of the project. §9.6 */
static void admit(struct wf_run *run, const char *held, const char *pause)
{
    int64_t until = wf_pause_until(run, pause);

    if (until > 0)
        wf_run_put_off(run, until, true);
    else
        wf_token_admit(run, held, load);
}

/* Obtained: the keys read behind it count. */
static void look_at_lock(struct wf_run *run, size_t lock)
{
    const struct wf_kv_item *pointer = wf_kv_at(&run->kv, lock + 1);
    const struct wf_kv_item *digest = wf_kv_at(&run->kv, lock + 2);
    struct bw_mono now = wf_engine_mono(run->engine);

    BW_ASSERT(lock + 5 < run->kv.count && !run->chat.has_lock);
    if (wf_kv_at(&run->kv, lock)->yes) {
        wf_chat_locked(run);
        wf_set(&run->steps.pointer, pointer->text);
        wf_set(&run->versions.marker, digest->text);
        run->redis_away = digest->memory;
        wf_warm_hear(run, wf_kv_at(&run->kv, lock + 3)->text);
        admit(run, wf_kv_at(&run->kv, lock + 4)->text,
              wf_kv_at(&run->kv, lock + 5)->text);
    } else if (wf_run_lost(run)) {
        return;
    } else if (bw_mono_before(run->chat.lock_until, now)) {
        wf_run_later(run, LATER_MS); /* another worker has the chat */
    } else {
        wf_run_after(run, LOCK_PAUSE_MS, try_lock);
    }
}

static void try_lock(struct wf_run *run)
{
    BW_ASSERT(!run->chat.has_lock);
    wf_lock_forget(&run->chat.lock, &run->engine->keys);
    (void)wf_run_keys(run);
    (void)add_chat_keys(run);
    wf_run_kv(run, lock_tried);
}

static void lock_tried(struct wf_run *run)
{
    look_at_lock(run, 0);
}

static void entered(struct wf_run *run)
{
    size_t lock = run->event.update_id != NULL ? UPDATE_GET + 1 : CHECKPOINT + 1;
    bool result = false;

    run->attempt.unsure = unanswered(run);
    if (run->attempt.unsure && wf_redis_hiccups(&run->engine->keys.health)) {
        if (wf_run_lost(run))
            return;
        wf_lock_forget(&run->chat.lock, &run->engine->keys);
        wf_run_after(run, LOCK_PAUSE_MS, enter);
        return;
    }
    if (wf_checkpoint_take(run, wf_kv_at(&run->kv, CHECKPOINT)->text, &result)) {
        release_if_locked(run, lock);
        wf_run_answer(run, result);
        return;
    }
    if (run->attempt.unsure) { /* memory is no witness */
        json_decref(run->attempt.restored);
        run->attempt.restored = NULL;
    }
    if (run->event.update_id != NULL && !wf_kv_at(&run->kv, UPDATE_SET)->yes &&
        is_others(wf_kv_at(&run->kv, UPDATE_GET)->text, run)) {
        release_if_locked(run, lock);
        wf_run_answer(run, true); /* WF-016: another job has this update */
        return;
    }
    look_at_lock(run, lock);
}

/* --- project and graph */

static void load(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;

    run->project = wf_projects_get(&engine->projects, run->project_id);
    wf_count_cache(&engine->counters, WF_CACHE_PROJECT, run->project != NULL);
    wf_versions_find(run, load_rest);
}

static void load_rest(struct wf_run *run)
{
    if (run->project != NULL && run->graph != NULL) {
        judge(run);
        return;
    }
    wf_db_begin(run);
    if (run->project == NULL)
        (void)wf_db_add(run, WF_SQL_project, run->project_id);
    if (run->graph == NULL)
        (void)wf_db_add(run, WF_SQL_versions, run->project_id);
    wf_db_run(run, loaded, NULL);
}

static void loaded(struct wf_run *run)
{
    size_t next = 0;

    if (run->project == NULL)
        wf_versions_take_project(run, next++);
    if (run->graph == NULL)
        wf_versions_take(run, next);
    judge(run);
}

static void judge(struct wf_run *run)
{
    if (run->project == NULL || run->project->token == NULL) {
        bw_log(wf_job_log(run), BW_LOG_ERROR, "the project has no bot",
               bw_text("project", run->project_id));
        wf_run_answer(run, false);
        return;
    }
    if (run->attempt.restored != NULL)
        wf_restore(run, look_up);
    else
        wf_address(run, look_up);
}

static void look_up(struct wf_run *run)
{
    char text[24];

    BW_ASSERT(run->project != NULL && run->project->token != NULL);
    if (run->graph == NULL) {
        bw_log(wf_job_log(run), BW_LOG_INFO, "the project has no active workflow",
               bw_text("project", run->project_id));
        wf_run_answer(run, false);
        return;
    }
    (void)snprintf(text, sizeof(text), "%lld",
                   (long long)(wf_engine_now_ms(run->engine) / RATE_WINDOW_MS));
    (void)wf_kv_add(wf_run_keys(run), WF_KV_COUNT,
                    wf_printf("rate_limit:user:%s:%s:%s", run->project_id,
                              run->event.from_id != NULL ? run->event.from_id : "unknown",
                              text),
                    NULL, RATE_WINDOW_MS);
    wf_lookup_keys(run);
    wf_warm_keys(run);
    wf_run_kv(run, counted);
}

static void counted(struct wf_run *run)
{
    const struct wf_kv_item *count = wf_kv_at(&run->kv, 0);
    int64_t limit = run->engine->settings.limit_user;

    if (count->number == limit + 1 && !run->event.overheard) {
        wf_send_notice(run, run->engine->settings.text_limited, limited);
    } else if (count->number > limit) {
        wf_run_answer(run, false);
    } else {
        wf_answer_callback(run);
        wf_lookup(run);
    }
}

static void limited(struct wf_run *run)
{
    wf_run_answer(run, false);
}
