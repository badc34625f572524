#include "workflow/throttle.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/mem.h"

#define BOT_WINDOW_MS   1000
#define GROUP_WINDOW_MS 60000
#define TTL_MS          60000 /* of a counter of the bot, whatever the window (§10.4) */
#define LATER_MS        1000

static void ask_chat(struct wf_run *run);
static void ask_bot(struct wf_run *run);

static void later(struct wf_run *run)
{
    wf_run_later(run, LATER_MS);
}

/* Not yet: asks again in `ms`, or gives the job back. */
static void wait(struct wf_run *run, int64_t ms, wf_step *again)
{
    struct bw_mono then = bw_mono_add_ms(wf_engine_mono(run->engine), ms);

    run->intended = false;
    if (bw_mono_before(then, run->send_until))
        wf_run_after(run, ms, again);
    else
        wf_checkpoint(run, run->node->id, true, later);
}

static const char *chat_of(const struct wf_run *run)
{
    const json_t *chat = json_object_get(run->params, "chat_id");

    return json_is_string(chat) ? json_string_value(chat) : "";
}

static char *key(const struct wf_run *run, const char *kind)
{
    return wf_printf("rate_limit:%s:%s:%s", kind, run->project_id, chat_of(run));
}

static bool is_group(const struct wf_run *run)
{
    return *chat_of(run) == '-'; /* ids of groups are negative */
}

/* --- the bot, for which the S key of §10.4 is kept; broadcasts leave room for answers */

static int64_t bot_limit(const struct wf_run *run)
{
    const struct wf_settings *settings = &run->engine->settings;
    int64_t limit = settings->limit_bot;

    if (run->effect_owner != NULL) /* started by a clock */
        limit = limit * settings->broadcast_percent / 100;
    return limit > 0 ? limit : 1;
}

static void bot_asked(struct wf_run *run)
{
    int64_t now = wf_engine_now_ms(run->engine);
    int64_t paused = wf_kv_at(&run->kv, 1)->number;

    if (wf_run_lost(run)) /* asked before what cannot be taken back */
        return;
    if (paused > 0)
        wait(run, paused, ask_bot);
    else if (wf_kv_at(&run->kv, 0)->number <= bot_limit(run))
        wf_intent_keep(run, run->granted);
    else
        wait(run, BOT_WINDOW_MS - now % BOT_WINDOW_MS, ask_bot);
}

static void ask_bot(struct wf_run *run)
{
    int64_t window = wf_engine_now_ms(run->engine) / BOT_WINDOW_MS;

    (void)wf_kv_add(
        wf_run_keys(run), WF_KV_COUNT,
        wf_printf("rate_limit:bot:%s:%lld", run->project_id, (long long)window), NULL,
        TTL_MS);
    (void)wf_kv_add(&run->kv, WF_KV_LEFT, key(run, "pause"), NULL, 0);
    wf_intent_add(run);
    wf_run_kv(run, bot_asked);
}

/* --- the chat, if it has a limit */

static void chat_asked(struct wf_run *run)
{
    const struct wf_settings *settings = &run->engine->settings;
    int64_t now = wf_engine_now_ms(run->engine);
    int64_t left = wf_kv_at(&run->kv, 0)->number;

    if (wf_run_lost(run))
        return;
    if (left > 0)
        wait(run, left, ask_chat);
    else if (is_group(run) && settings->limit_group > 0 &&
             wf_kv_at(&run->kv, 1)->number > settings->limit_group)
        wait(run, GROUP_WINDOW_MS - now % GROUP_WINDOW_MS, ask_chat);
    else
        ask_bot(run);
}

static void ask_chat(struct wf_run *run)
{
    const struct wf_settings *settings = &run->engine->settings;
    int64_t window = wf_engine_now_ms(run->engine) / GROUP_WINDOW_MS;
    char *space = key(run, "chat");

    (void)wf_run_keys(run);
    if (settings->chat_space_ms > 0)
        (void)wf_kv_add(&run->kv, WF_KV_SPACE, wf_strdup(space), wf_strdup("1"),
                        settings->chat_space_ms);
    else
        (void)wf_kv_add(&run->kv, WF_KV_LEFT, wf_strdup(space), NULL, 0);
    free(space);
    if (is_group(run) && settings->limit_group > 0)
        (void)wf_kv_add(&run->kv, WF_KV_COUNT,
                        wf_printf("rate_limit:group:%s:%s:%lld", run->project_id,
                                  chat_of(run), (long long)window),
                        NULL, GROUP_WINDOW_MS);
    wf_run_kv(run, chat_asked);
}

void wf_throttle(struct wf_run *run, wf_step *granted)
{
    const struct wf_settings *settings = &run->engine->settings;

    run->granted = granted;
    run->send_until = bw_mono_add_ms(wf_engine_mono(run->engine), settings->bot_wait_ms);
    if (settings->chat_space_ms > 0 || (is_group(run) && settings->limit_group > 0))
        ask_chat(run);
    else
        ask_bot(run);
}

static void note(struct wf_run *run, const char *kind, int64_t ms)
{
    struct wf_kv kv = { 0 };
    const char *chat = run->sent_chat != NULL ? run->sent_chat : "";

    (void)wf_kv_add(&kv, WF_KV_SET,
                    wf_printf("rate_limit:%s:%s:%s", kind, run->project_id, chat),
                    wf_strdup("1"), ms);
    wf_kv_send(run->engine, &kv);
}

void wf_throttle_pause(struct wf_run *run, int64_t ms)
{
    if (ms > 0)
        note(run, "pause", ms);
}

void wf_throttle_sent(struct wf_run *run)
{
    if (run->engine->settings.chat_space_ms > 0)
        note(run, "chat", run->engine->settings.chat_space_ms);
}
