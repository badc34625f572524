#include "workflow/outbox/throttle.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/ids.h"
#include "workflow/base/mem.h"
#include "workflow/engine/quotas.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/run/io.h"
#include "workflow/run/task.h"

#define BOT_WINDOW_MS   1000
#define GROUP_WINDOW_MS 60000
#define LATER_MS        1000

static wf_step ask, asked, wait_noted, intended;

void wf_throttle(struct wf_run *run, const char *chat, wf_step *granted)
{
    wf_throttle_notice(run, chat, granted, NULL, run->engine->settings.bot_wait_ms);
}

void wf_throttle_notice(struct wf_run *run, const char *chat, wf_step *granted,
                        wf_step *none, int64_t patience_ms)
{
    BW_ASSERT(chat != NULL && granted != NULL);
    wf_set(&run->outbox.throttle.chat, chat);
    run->outbox.throttle.granted = granted;
    run->outbox.throttle.none = none;
    run->outbox.throttle.until = bw_mono_add_ms(wf_engine_mono(run->engine), patience_ms);
    wf_id_token(run->outbox.throttle.token);
    ask(run);
}

/* Broadcasts leave room for answers. */
static int64_t bot_limit(const struct wf_run *run)
{
    const struct wf_settings *settings = &run->engine->settings;
    int64_t limit = settings->limit_bot;

    if (run->attempt.effect_owner != NULL) /* started by a clock */
        limit = limit * settings->broadcast_percent / 100;
    return limit > 0 ? limit : 1;
}

static char *key(const struct wf_run *run, const char *kind, const char *chat)
{
    return wf_printf("rate_limit:%s:%s:%s", kind, run->project_id, chat);
}

/* The counter is the S key of worker/workflow/spec/workflow.md §10.4. */
static struct wf_quotas *quotas_of(const struct wf_run *run, const char *chat)
{
    const struct wf_settings *settings = &run->engine->settings;
    long long second = wf_engine_now_ms(run->engine) / BOT_WINDOW_MS;
    struct wf_quotas *quotas =
        wf_quotas_create(wf_pause_key(run, chat),
                         wf_printf("rate_limit:bot:%s:%lld", run->project_id, second),
                         wf_printf("rate_limit:bot_waiting:%s", run->project_id),
                         run->outbox.throttle.token);

    BW_ASSERT(run->outbox.throttle.token[0] != '\0');
    wf_quotas_add(quotas, wf_printf("rate_limit:bot_sends:%s", run->project_id),
                  bot_limit(run), BOT_WINDOW_MS);
    if (settings->chat_space_ms > 0)
        wf_quotas_add(quotas, key(run, "chat_sends", chat), 1, settings->chat_space_ms);
    if (*chat == '-' && settings->limit_group > 0) /* ids of groups are negative */
        wf_quotas_add(quotas, key(run, "group_sends", chat), settings->limit_group,
                      GROUP_WINDOW_MS);
    return quotas;
}

static void ask(struct wf_run *run)
{
    BW_ASSERT(run->outbox.throttle.chat != NULL);
    (void)wf_kv_add_quotas(wf_run_keys(run), WF_KV_ENTER,
                           quotas_of(run, run->outbox.throttle.chat));
    wf_run_kv(run, asked);
}

/* Not yet: asks again in `ms`, or gives the job back until then. */
static void wait(struct wf_run *run, int64_t ms)
{
    struct bw_mono then = bw_mono_add_ms(wf_engine_mono(run->engine), ms);

    BW_ASSERT(ms > 0);
    if (bw_mono_before(then, run->outbox.throttle.until)) {
        wf_run_after(run, ms, ask);
        return;
    }
    run->outbox.hold_until =
        wf_engine_now_ms(run->engine) + (ms > LATER_MS ? ms : LATER_MS);
    if (run->outbox.throttle.none != NULL)
        run->outbox.throttle.none(run);
    else
        wf_checkpoint_hold(run);
}

/* The intent is written for a message that may go out, not for one that waits: after a
 * crash nobody need wonder whether that one was sent. */
static void asked(struct wf_run *run)
{
    int64_t ms = wf_kv_at(&run->kv, 0)->number;

    BW_ASSERT(run->outbox.throttle.granted != NULL);
    if (wf_run_lost(run))
        return;
    if (ms > 0 && run->outbox.throttle.none == NULL && run->redis_away &&
        !run->attempt.in_row) {
        /* the wait may outlast the job's lock, and what Redis was told may be lost */
        wf_checkpoint(run, run->node->id, true, wait_noted);
        return;
    }
    if (ms > 0) {
        wait(run, ms);
        return;
    }
    if (run->outbox.throttle.none != NULL) {
        run->outbox.throttle.granted(
            run); /* no message of a node: nothing is remembered of it */
        return;
    }
    (void)wf_run_keys(run);
    wf_intent_add(run);
    wf_run_kv(run, intended);
}

static void wait_noted(struct wf_run *run)
{
    if (!wf_run_lost(run))
        ask(run);
}

static void intended(struct wf_run *run)
{
    if (!wf_run_lost(run)) /* asked before what cannot be taken back */
        wf_intent_keep(run, run->outbox.throttle.granted);
}

void wf_throttle_pause(struct wf_run *run, const char *chat)
{
    struct wf_kv kv = { 0 };
    int64_t ms = run->outbox.hold_until - wf_engine_now_ms(run->engine);

    BW_ASSERT(chat != NULL);
    if (ms <= 0)
        return;
    (void)wf_kv_add(&kv, WF_KV_SET, wf_pause_key(run, chat),
                    wf_printf("{\"until\":%lld,\"reason\":\"telegram\"}",
                              (long long)run->outbox.hold_until),
                    ms);
    wf_kv_send(&run->engine->keys, &kv);
}

char *wf_pause_key(const struct wf_run *run, const char *chat)
{
    return wf_printf("bulwark:pause:%s:%s", run->project_id, chat);
}

int64_t wf_pause_until(const struct wf_run *run, const char *value)
{
    json_t *pause = wf_loads(value);
    int64_t until = json_integer_value(json_object_get(pause, "until"));

    json_decref(pause);
    return until > wf_engine_now_ms(run->engine) ? until : 0;
}

void wf_throttle_sent(struct wf_run *run, const char *chat)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add_quotas(&kv, WF_KV_LEAVE, quotas_of(run, chat));
    wf_kv_send(&run->engine->keys, &kv);
}
