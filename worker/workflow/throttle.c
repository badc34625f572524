#include "workflow/throttle.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/ids.h"
#include "workflow/mem.h"
#include "workflow/quotas.h"

#define BOT_WINDOW_MS   1000
#define GROUP_WINDOW_MS 60000
#define LATER_MS        1000

static void ask(struct wf_run *run);

static void later(struct wf_run *run)
{
    wf_run_later(run, LATER_MS);
}

/* Not yet: asks again in `ms`, or gives the job back. */
static void wait(struct wf_run *run, int64_t ms)
{
    struct bw_mono then = bw_mono_add_ms(wf_engine_mono(run->engine), ms);

    if (bw_mono_before(then, run->send_until))
        wf_run_after(run, ms, ask);
    else
        wf_checkpoint(run, run->node->id, true, later);
}

static char *key(const struct wf_run *run, const char *kind, const char *chat)
{
    return wf_printf("rate_limit:%s:%s:%s", kind, run->project_id, chat);
}

/* Broadcasts leave room for answers. */
static int64_t bot_limit(const struct wf_run *run)
{
    const struct wf_settings *settings = &run->engine->settings;
    int64_t limit = settings->limit_bot;

    if (run->effect_owner != NULL) /* started by a clock */
        limit = limit * settings->broadcast_percent / 100;
    return limit > 0 ? limit : 1;
}

/* The counter is the S key of §10.4. */
static struct wf_quotas *quotas_of(const struct wf_run *run, const char *chat)
{
    const struct wf_settings *settings = &run->engine->settings;
    long long second = wf_engine_now_ms(run->engine) / BOT_WINDOW_MS;
    struct wf_quotas *quotas = wf_quotas_create(
        key(run, "pause", chat),
        wf_printf("rate_limit:bot:%s:%lld", run->project_id, second),
        wf_printf("rate_limit:bot_waiting:%s", run->project_id), run->send_token);

    wf_quotas_add(quotas, wf_printf("rate_limit:bot_sends:%s", run->project_id),
                  bot_limit(run), BOT_WINDOW_MS);
    if (settings->chat_space_ms > 0)
        wf_quotas_add(quotas, key(run, "chat_sends", chat), 1, settings->chat_space_ms);
    if (*chat == '-' && settings->limit_group > 0) /* ids of groups are negative */
        wf_quotas_add(quotas, key(run, "group_sends", chat), settings->limit_group,
                      GROUP_WINDOW_MS);
    return quotas;
}

static void intended(struct wf_run *run)
{
    if (!wf_run_lost(run)) /* asked before what cannot be taken back */
        wf_intent_keep(run, run->granted);
}

/* The intent is written for a message that may go out, not for one that waits: after a
 * crash nobody need wonder whether that one was sent. */
static void asked(struct wf_run *run)
{
    int64_t ms = wf_kv_at(&run->kv, 0)->number;

    if (wf_run_lost(run))
        return;
    if (ms > 0) {
        wait(run, ms);
        return;
    }
    (void)wf_run_keys(run);
    wf_intent_add(run);
    wf_run_kv(run, intended);
}

static void ask(struct wf_run *run)
{
    const char *chat = json_string_value(json_object_get(run->params, "chat_id"));

    (void)wf_kv_add_quotas(wf_run_keys(run), WF_KV_ENTER,
                           quotas_of(run, chat != NULL ? chat : ""));
    wf_run_kv(run, asked);
}

void wf_throttle(struct wf_run *run, wf_step *granted)
{
    run->granted = granted;
    run->send_until =
        bw_mono_add_ms(wf_engine_mono(run->engine), run->engine->settings.bot_wait_ms);
    wf_id_token(run->send_token);
    ask(run);
}

static const char *sent_chat(const struct wf_run *run)
{
    return run->sent_chat != NULL ? run->sent_chat : "";
}

void wf_throttle_pause(struct wf_run *run, int64_t ms)
{
    struct wf_kv kv = { 0 };

    if (ms <= 0)
        return;
    (void)wf_kv_add(&kv, WF_KV_SET, key(run, "pause", sent_chat(run)), wf_strdup("1"),
                    ms);
    wf_kv_send(run->engine, &kv);
}

void wf_throttle_sent(struct wf_run *run)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add_quotas(&kv, WF_KV_LEAVE, quotas_of(run, sent_chat(run)));
    wf_kv_send(run->engine, &kv);
}
