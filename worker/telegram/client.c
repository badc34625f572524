#include "telegram/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/thread.h>

#include "curl/loop.h"
#include "telegram/call.h"
#include "telegram/pauses.h"
#include "telegram/transport.h"

#define MAX_RETRY_AFTER_DEFAULT_MS 5000

struct tg_client {
    struct bw_log log;
    int64_t max_retry_after_ms;
    struct wk_curl *curl;

    struct bw_mutex mtx; /* guards what follows, and the calls' part of it */
    struct tg_queue incoming;
    struct tg_call *cancelled; /* asked to be given up */
    bool stopping;
    struct tg_stats stats;

    struct tg_transport transport; /* the thread's own, as is what follows */
    struct tg_queue ready;         /* to be sent as soon as there is room */
    struct tg_pauses pauses;
    struct tg_call *owned; /* everything between submit and done */
};

/* --- ending a call */

static void count_outcome(struct tg_stats *stats, enum tg_outcome outcome)
{
    switch (outcome) {
    case TG_OK:
        stats->ok++;
        return;
    case TG_REFUSED:
        stats->refused++;
        return;
    case TG_LIMITED:
        stats->limited++;
        return;
    case TG_NOT_SENT:
        stats->not_sent++;
        return;
    case TG_UNKNOWN:
        stats->unknown++;
        return;
    case TG_CANCELLED:
        return;
    }
}

static void forget_cancel(struct tg_client *client, const struct tg_call *call)
{
    struct tg_call **at = &client->cancelled;

    bw_mutex_assert_held(&client->mtx);
    while (*at != NULL && *at != call)
        at = &(*at)->next_cancelled;
    if (*at != NULL)
        *at = call->next_cancelled;
}

static void own(struct tg_client *client, struct tg_call *call)
{
    call->prev_owned = NULL;
    call->next_owned = client->owned;
    if (client->owned != NULL)
        client->owned->prev_owned = call;
    client->owned = call;
}

static void disown(struct tg_client *client, struct tg_call *call)
{
    if (call->prev_owned != NULL)
        call->prev_owned->next_owned = call->next_owned;
    else
        client->owned = call->next_owned;
    if (call->next_owned != NULL)
        call->next_owned->prev_owned = call->prev_owned;
}

/* Foreign code runs without our lock, and the call is not ours after it. */
static void finish(struct tg_client *client, struct tg_call *call,
                   enum tg_outcome outcome)
{
    call->outcome = outcome;
    disown(client, call);
    bw_mutex_lock(&client->mtx);
    if (call->cancelled)
        forget_cancel(client, call);
    call->cancelled = false;
    call->owned = false;
    count_outcome(&client->stats, outcome);
    if (call->unclear)
        client->stats.unclear++;
    if (call->moved_to != 0)
        client->stats.moved++;
    if (call->history.plain && outcome != TG_CANCELLED)
        client->stats.fallbacks++;
    client->stats.in_flight--;
    bw_mutex_unlock(&client->mtx);
    call->done(call, call->arg);
}

/* --- attempts */

static void make_ready(struct tg_client *client, struct tg_call *call)
{
    call->stage = TG_STAGE_READY;
    tg_queue_add(&client->ready, call);
}

static void count_retry(struct tg_client *client)
{
    bw_mutex_lock(&client->mtx);
    client->stats.retries++;
    bw_mutex_unlock(&client->mtx);
}

static void pause_call(struct tg_client *client, struct tg_call *call, int64_t delay_ms)
{
    bw_log(&client->log, BW_LOG_INFO, "telegram call is tried again",
           bw_text("method", call->method), bw_num("status", call->status),
           bw_text("reason", call->answer.description), bw_num("attempt", call->attempts),
           bw_num("pauseMs", delay_ms));
    count_retry(client);
    call->due = bw_mono_add_ms(bw_mono_now(NULL), delay_ms);
    call->stage = TG_STAGE_PAUSING;
    if (tg_pauses_add(&client->pauses, call) != BW_OK)
        finish(client, call, call->history.doubtful ? TG_UNKNOWN : TG_NOT_SENT);
}

/* The bot is named by its id, which is no secret. */
static void warn(struct tg_client *client, const struct tg_call *call, const char *text)
{
    char bot[24];

    (void)snprintf(bot, sizeof(bot), "%.*s", (int)strcspn(call->token, ":"),
                   call->token); /* cut: no token then */
    bw_log(&client->log, BW_LOG_WARNING, text, bw_text("method", call->method),
           bw_text("bot", bot),
           bw_text("chat", json_string_value(json_object_get(call->params, "chat_id"))),
           bw_num("status", call->status), bw_text("reason", call->answer.description));
}

static void send_at_once(struct tg_client *client, struct tg_call *call)
{
    call->stage = TG_STAGE_READY;
    tg_queue_add_first(&client->ready, call);
}

static void accept_unclear(struct tg_client *client, struct tg_call *call)
{
    call->unclear = true;
    warn(client, call, "an answer of success is not the Bot API's; it counts as one");
    json_decref(call->answer.result);
    call->answer.result = NULL;
    finish(client, call, TG_OK);
}

static void attempt_ended(void *what, CURLcode code, void *arg)
{
    struct tg_client *client = arg;
    struct tg_call *call = what;
    struct tg_attempt attempt = tg_transport_ended(&client->transport, call, (int)code);
    struct tg_verdict verdict =
        tg_retry_judge(&call->history, &attempt, client->max_retry_after_ms);

    switch (verdict.step) {
    case TG_STEP_FINISH:
        if (attempt.event == TG_EVENT_UNCLEAR && verdict.outcome == TG_OK)
            accept_unclear(client, call);
        else
            finish(client, call, verdict.outcome);
        return;
    case TG_STEP_RETRY:
        pause_call(client, call, verdict.delay_ms);
        return;
    case TG_STEP_PLAIN:
        if (tg_call_make_plain(call) == BW_OK)
            send_at_once(client, call);
        else
            finish(client, call, TG_REFUSED);
        return;
    case TG_STEP_MOVED:
        warn(client, call, "the chat has another id now; the call goes there");
        if (tg_call_migrate(call, call->answer.migrate_to) == BW_OK)
            send_at_once(client, call);
        else
            finish(client, call, TG_REFUSED);
    }
}

static void start_ready(struct tg_client *client)
{
    struct tg_call *call;

    while (wk_curl_flying(client->curl) < TG_FLYING_MAX &&
           (call = tg_queue_take(&client->ready)) != NULL) {
        int rc = tg_transport_start(&client->transport, call);

        call->stage = TG_STAGE_FLYING;
        if (rc == BW_OK)
            continue;
        finish(client, call,
               call->history.doubtful ? TG_UNKNOWN
               : rc == BW_EINVAL      ? TG_REFUSED
                                      : TG_NOT_SENT);
    }
}

static void wake_due(struct tg_client *client)
{
    struct bw_mono now = bw_mono_now(NULL);
    struct tg_call *call;

    while ((call = tg_pauses_first(&client->pauses)) != NULL &&
           !bw_mono_before(now, call->due)) {
        tg_pauses_remove(&client->pauses, call);
        make_ready(client, call);
    }
}

/* --- cancelling */

static void give_up(struct tg_client *client, struct tg_call *call)
{
    enum tg_event event = TG_EVENT_UNSENT;

    switch (call->stage) {
    case TG_STAGE_READY:
        tg_queue_remove(&client->ready, call);
        break;
    case TG_STAGE_FLYING:
        event = tg_transport_abort(&client->transport, call);
        call->history.sent = call->history.sent || event != TG_EVENT_UNSENT;
        break;
    case TG_STAGE_PAUSING:
        tg_pauses_remove(&client->pauses, call);
        break;
    }
    tg_answer_fini(&call->answer);
    tg_call_describe(call, "cancelled");
    if (event == TG_EVENT_UNCLEAR && !call->history.question) {
        accept_unclear(client, call);
        return;
    }
    finish(client, call, TG_CANCELLED);
}

static void give_up_cancelled(struct tg_client *client, struct tg_call *call)
{
    while (call != NULL) {
        struct tg_call *next = call->next_cancelled;

        give_up(client, call);
        call = next;
    }
}

/* What a `done` submits meanwhile is given up as well. */
static void give_up_all(struct tg_client *client)
{
    while (client->owned != NULL)
        give_up(client, client->owned);
}

/* --- the thread */

/* Takes what came in, and what is not wanted any more: in one step, so that no call is
 * cancelled before it is known here. */
static bool take_mail(struct tg_client *client, struct tg_call **cancelledp)
{
    struct tg_queue incoming = { 0 };
    struct tg_call *call;
    bool stopping;

    bw_mutex_lock(&client->mtx);
    tg_queue_move(&incoming, &client->incoming);
    *cancelledp = client->cancelled;
    client->cancelled = NULL;
    stopping = client->stopping;
    bw_mutex_unlock(&client->mtx);
    while ((call = tg_queue_take(&incoming)) != NULL) {
        own(client, call);
        make_ready(client, call);
    }
    return stopping;
}

static bool client_turn(void *arg, struct bw_mono *until)
{
    struct tg_client *client = arg;
    const struct tg_call *first;
    struct tg_call *cancelled;
    bool stopping;

    for (;;) {
        stopping = take_mail(client, &cancelled);
        give_up_cancelled(client, cancelled);
        if (!stopping)
            break;
        if (client->owned == NULL)
            return false;
        give_up_all(client);
    }
    wake_due(client);
    start_ready(client);
    first = tg_pauses_first(&client->pauses);
    if (first != NULL)
        *until = first->due;
    return true;
}

/* --- for any thread */

void tg_client_submit(struct tg_client *client, struct tg_call *call,
                      void (*done)(struct tg_call *call, void *arg), void *arg)
{
    bool first;

    call->done = done;
    call->arg = arg;
    bw_mutex_lock(&client->mtx);
    first = client->incoming.first == NULL; /* else it is awake, or about to be */
    call->owned = true;
    tg_queue_add(&client->incoming, call);
    client->stats.calls++;
    client->stats.in_flight++;
    bw_mutex_unlock(&client->mtx);
    if (first)
        wk_curl_wake(client->curl);
}

void tg_client_cancel(struct tg_client *client, struct tg_call *call)
{
    bw_mutex_lock(&client->mtx);
    if (call->owned && !call->cancelled) {
        call->cancelled = true;
        call->next_cancelled = client->cancelled;
        client->cancelled = call;
    }
    bw_mutex_unlock(&client->mtx);
    wk_curl_wake(client->curl);
}

void tg_client_stats(struct tg_client *client, struct tg_stats *stats)
{
    bw_mutex_lock(&client->mtx);
    *stats = client->stats;
    bw_mutex_unlock(&client->mtx);
}

/* --- life */

int tg_client_create(struct tg_client **clientp, const struct tg_options *options,
                     struct bw_error *err)
{
    struct tg_client *client = calloc(1, sizeof *client);
    int rc;

    *clientp = NULL;
    if (client == NULL)
        return bw_error_set(err, BW_ENOMEM, "telegram: out of memory");
    bw_mutex_init(&client->mtx);
    if (options->log != NULL)
        bw_log_child(&client->log, options->log, "part", "telegram");
    client->max_retry_after_ms = options->max_retry_after_ms > 0
                                     ? options->max_retry_after_ms
                                     : MAX_RETRY_AFTER_DEFAULT_MS;
    rc = wk_curl_create(&client->curl,
                        &(struct wk_curl_user){ .name = "telegram",
                                                .kept = TG_FLYING_MAX,
                                                .turn = client_turn,
                                                .ended = attempt_ended,
                                                .arg = client },
                        err);
    if (rc == BW_OK)
        rc = tg_transport_init(&client->transport, client->curl, options, err);
    if (rc == BW_OK)
        rc = wk_curl_start(client->curl, err);
    if (rc != BW_OK) {
        tg_client_destroy(&client);
        return rc;
    }
    *clientp = client;
    return BW_OK;
}

void tg_client_destroy(struct tg_client **clientp)
{
    struct tg_client *client = *clientp;

    if (client == NULL)
        return;
    *clientp = NULL;
    bw_mutex_lock(&client->mtx);
    client->stopping = true;
    bw_mutex_unlock(&client->mtx);
    wk_curl_destroy(&client->curl); /* waits for the thread */
    tg_transport_fini(&client->transport);
    tg_pauses_fini(&client->pauses);
    bw_mutex_fini(&client->mtx);
    free(client);
}
