#include "workflow/outbox/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/under_way.h"
#include "workflow/run/versions.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/run/io.h"
#include "workflow/run/task.h"

#define PAUSE_MS     5000
#define PAUSE_MAX_MS 300000
#define MEMORY_MS    600000 /* how long a hold that nobody tries is remembered */
#define PROBE_MS     60000  /* longer than getMe takes with its retries, mostly */
#define DOUBTS_MAX   2
#define LOSER_MS     10000 /* how long another's trying is waited for */
#define LOOK_MS      50

static wf_step probe_taken, probe_loaded, probed, probe_failed, wait_for_probe,
    look_again, looked, held, asked_me, doubt, hold_project, try_again, loaded;
static void reload(struct wf_run *run, wf_step *then);
static bool has_bot(const struct wf_run *run);
static void ask_me(struct wf_run *run, wf_step *then);

char *wf_token_key(const struct wf_run *run)
{
    return wf_printf("bulwark:held:%s", run->project_id);
}

static char *probe_key(const struct wf_run *run)
{
    return wf_printf("bulwark:held:%s:probe", run->project_id);
}

/* --- the hold: {"until", "pause", "since", "reason"}, all times in ms */

static int64_t member(const json_t *hold, const char *name)
{
    return json_integer_value(json_object_get(hold, name));
}

static void note(struct wf_run *run, int64_t until)
{
    wf_held_project(&run->engine->held, run->project_id,
                    bw_mono_add_ms(wf_engine_mono(run->engine),
                                   until - wf_engine_now_ms(run->engine)));
}

static bool patience_is_over(const struct wf_run *run, int64_t since)
{
    return wf_engine_now_ms(run->engine) - since >=
           run->engine->settings.token_patience * 1000;
}

/* Since when this job waits for the token: it may have come long after the hold. */
static int64_t waits_since(const struct wf_run *run, const json_t *hold)
{
    int64_t added = wf_job_timestamp(run), since = member(hold, "since");

    if (run->outbox.refusals.since != 0)
        return run->outbox.refusals.since;
    return added > since ? added : since;
}

static json_t *make_hold(const struct wf_run *run, int64_t pause_ms, int64_t since)
{
    int64_t now = wf_engine_now_ms(run->engine);

    return wf_must(json_pack("{s:I, s:I, s:I, s:s}", "until",
                             (json_int_t)(now + pause_ms), "pause", (json_int_t)pause_ms,
                             "since", (json_int_t)since, "reason", "token"));
}

static int64_t ttl(int64_t pause_ms)
{
    return pause_ms + MEMORY_MS;
}

static void release(struct wf_run *run)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add(&kv, WF_KV_DELETE, wf_token_key(run), NULL, 0);
    (void)wf_kv_add(&kv, WF_KV_DELETE, probe_key(run), NULL, 0);
    wf_kv_send(&run->engine->keys, &kv);
    (void)wf_held_release(&run->engine->held, run->project_id);
}

static void forget_probe(struct wf_run *run)
{
    struct wf_kv kv = { 0 };

    (void)wf_kv_add(&kv, WF_KV_DELETE, probe_key(run), NULL, 0);
    wf_kv_send(&run->engine->keys, &kv);
}

/* --- a job that arrives while the project is held */

static int64_t after(const struct wf_run *run, int64_t ms)
{
    return wf_engine_now_ms(run->engine) + ms;
}

static void put_off(struct wf_run *run, int64_t until)
{
    note(run, until);
    wf_run_put_off(run, until, true);
}

void wf_token_admit(struct wf_run *run, const char *held, wf_step *then)
{
    json_t *hold;

    BW_ASSERT(then != NULL);
    if (held == NULL) {
        then(run);
        return;
    }
    hold = wf_loads(held);
    json_decref(run->outbox.token.hold);
    run->outbox.token.hold = hold;
    if (!json_is_object(hold) || patience_is_over(run, waits_since(run, hold))) {
        then(run); /* it is its turn to fail, or to find that all is well */
    } else if (member(hold, "until") > wf_engine_now_ms(run->engine)) {
        put_off(run, member(hold, "until"));
    } else {
        run->outbox.token.admitted = then;
        (void)wf_kv_add(wf_run_keys(run), WF_KV_SET_NEW, probe_key(run),
                        wf_strdup(wf_job_id(run)), PROBE_MS);
        wf_run_kv(run, probe_taken);
    }
}

static void probe_taken(struct wf_run *run)
{
    if (wf_kv_at(&run->kv, 0)->yes) {
        reload(run, probe_loaded);
        return;
    }
    run->outbox.token.probe_until = bw_mono_add_ms(wf_engine_mono(run->engine), LOSER_MS);
    wait_for_probe(run);
}

static void probe_loaded(struct wf_run *run)
{
    if (has_bot(run)) {
        ask_me(run, probed);
        return;
    }
    release(run); /* there is no token any more: said where tokens are needed */
    run->outbox.token.admitted(run);
}

static void probed(struct wf_run *run)
{
    int64_t pause = 2 * member(run->outbox.token.hold, "pause");
    struct wf_kv kv = { 0 };
    json_t *hold;

    BW_ASSERT(run->outbox.token.admitted != NULL);
    if (run->outbox.token.answer == WF_SEND_OK) {
        bw_log(wf_job_log(run), BW_LOG_INFO, "Telegram takes the project's token again",
               bw_text("project", run->project_id));
        release(run);
        run->outbox.token.admitted(run);
        return;
    }
    if (run->outbox.token.answer == WF_SEND_TRANSIENT) {
        probe_failed(run);
        return;
    }
    if (pause < PAUSE_MS)
        pause = PAUSE_MS;
    if (pause > PAUSE_MAX_MS)
        pause = PAUSE_MAX_MS;
    hold = make_hold(run, pause, member(run->outbox.token.hold, "since"));
    (void)wf_kv_add(&kv, WF_KV_SET, wf_token_key(run), wf_dumps(hold), ttl(pause));
    (void)wf_kv_add(&kv, WF_KV_DELETE, probe_key(run), NULL, 0);
    wf_kv_send(&run->engine->keys, &kv);
    put_off(run, member(hold, "until"));
    json_decref(hold);
}

/* Nobody knows: tried again soon, by whichever job is first then. */
static void probe_failed(struct wf_run *run)
{
    forget_probe(run);
    put_off(run, after(run, PAUSE_MS));
}

/* Another job tries. It is waited for with the chat's turn in hand, so that the chat's
 * later jobs stay behind this one. */
static void wait_for_probe(struct wf_run *run)
{
    if (wf_run_lost(run))
        return;
    if (bw_mono_before(wf_engine_mono(run->engine), run->outbox.token.probe_until))
        wf_run_after(run, LOOK_MS, look_again);
    else
        put_off(run, after(run, PAUSE_MS));
}

static void look_again(struct wf_run *run)
{
    (void)wf_kv_add(wf_run_keys(run), WF_KV_GET, wf_token_key(run), NULL, 0);
    wf_run_kv(run, looked);
}

static void looked(struct wf_run *run)
{
    json_t *hold = wf_loads(wf_kv_at(&run->kv, 0)->text);
    bool over = hold == NULL;
    int64_t until = member(hold, "until");

    json_decref(hold);
    if (over)
        run->outbox.token.admitted(run);
    else if (until > wf_engine_now_ms(run->engine))
        put_off(run, until);
    else
        wait_for_probe(run);
}

/* --- a call that was refused */

static void hold_job(struct wf_run *run, int64_t until)
{
    BW_ASSERT(until > 0);
    run->outbox.hold_until = until;
    if (run->outbox.token.instead != NULL)
        run->outbox.token.instead(run);
    else
        wf_checkpoint_hold(run);
}

/* The key is there: ours, or that of whoever was first. */
static void held(struct wf_run *run)
{
    json_t *hold = wf_loads(wf_kv_at(&run->kv, 1)->text);
    int64_t until = member(hold, "until");

    if (wf_kv_at(&run->kv, 0)->yes) {
        wf_count(&run->engine->counters.token_holds);
        bw_log(wf_job_log(run), BW_LOG_WARNING,
               "Telegram refuses the project's token; its jobs wait for a right one",
               bw_text("project", run->project_id),
               bw_num("status", run->outbox.reply.status),
               bw_text("reason", run->outbox.reply.description));
    }
    json_decref(hold);
    if (until <= wf_engine_now_ms(run->engine))
        until = after(run, PAUSE_MS);
    note(run, until);
    hold_job(run, until);
}

bool wf_token_suspected(const struct wf_run *run)
{
    return run->outbox.reply.outcome == WF_SEND_REFUSED &&
           (run->outbox.reply.status == 401 || run->outbox.reply.status == 404);
}

void wf_token_check(struct wf_run *run, wf_step *again, wf_step *refused,
                    wf_step *instead)
{
    BW_ASSERT(wf_token_suspected(run) && again != NULL && refused != NULL);
    run->outbox.token.again = again;
    run->outbox.token.refused = refused;
    run->outbox.token.instead = instead;
    run->outbox.message.intended = false; /* what was refused was not sent */
    if (run->outbox.token.tried) {
        ask_me(run, asked_me);
        return;
    }
    run->outbox.token.tried = true;
    reload(run, try_again);
}

static void asked_me(struct wf_run *run)
{
    switch (run->outbox.token.answer) {
    case WF_SEND_OK:
        doubt(run);
        return;
    case WF_SEND_REFUSED:
        hold_project(run);
        return;
    case WF_SEND_TRANSIENT:
        hold_job(run, after(run, PAUSE_MS)); /* nobody knows: only this one waits */
        return;
    }
}

/* getMe was answered: it is this call, unless the token was put right between the two.
 * So it is looked at again before the message is given up. */
static void doubt(struct wf_run *run)
{
    if (run->outbox.token.instead != NULL || run->outbox.refusals.doubts == DOUBTS_MAX) {
        run->outbox.token.refused(run);
        return;
    }
    run->outbox.refusals.doubts++;
    hold_job(run, after(run, PAUSE_MS));
}

static void hold_project(struct wf_run *run)
{
    int64_t now = wf_engine_now_ms(run->engine);
    json_t *hold = make_hold(run, PAUSE_MS, now);

    if (run->outbox.refusals.since == 0)
        run->outbox.refusals.since = run->outbox.token.hold != NULL
                                         ? waits_since(run, run->outbox.token.hold)
                                         : now;
    if (patience_is_over(run, run->outbox.refusals.since)) {
        json_decref(hold);
        run->outbox.token.refused(run);
        return;
    }
    (void)wf_kv_add(wf_run_keys(run), WF_KV_SET_NEW, wf_token_key(run), wf_dumps(hold),
                    ttl(PAUSE_MS));
    (void)wf_kv_add(&run->kv, WF_KV_GET, wf_token_key(run), NULL, 0);
    json_decref(hold);
    wf_run_kv(run, held);
}

static void try_again(struct wf_run *run)
{
    if (has_bot(run))
        run->outbox.token.again(run);
    else
        run->outbox.token.refused(run);
}

/* --- asking Telegram and the database */

/* The token of the database, not of the cache. */
static void reload(struct wf_run *run, wf_step *then)
{
    run->outbox.token.then = then;
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_project, run->project_id);
    wf_db_run(run, loaded, NULL);
}

static void loaded(struct wf_run *run)
{
    BW_ASSERT(run->outbox.token.then != NULL);
    wf_project_unref(&run->project);
    wf_versions_take_project(run, 0);
    run->outbox.token.then(run);
}

static bool has_bot(const struct wf_run *run)
{
    return run->project != NULL && run->project->token != NULL &&
           run->project->bot_active;
}

static void known(const struct wf_sent *sent, void *arg)
{
    struct wf_run *run = arg;

    wf_under_way_over(run);
    run->outbox.token.answer = sent->outcome;
    wf_run_post(run, run->step);
}

static void ask_me(struct wf_run *run, wf_step *then)
{
    const struct wf_effects *effects = run->engine->effects;

    BW_ASSERT(has_bot(run) && then != NULL);
    run->step = then;
    wf_under_way_lock(run);
    wf_under_way_begun(run, WF_CALL_TELEGRAM,
                       effects->telegram(effects->arg, run->project->token, "getMe",
                                         wf_must(json_object()), false, known, run));
}
