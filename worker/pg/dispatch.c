#include "pg/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define WAITING_MAX      100000 /* batches that wait for a connection */
#define BACKOFF_FIRST_MS 25
#define BACKOFF_MAX_MS   1000
/* For the server to obey, then the connection is given up. */
#define CANCEL_GRACE_MS    2000
#define CANCEL_REPEAT_MS   250 /* a request that arrives between two statements is lost */
#define CANCEL_TIMEOUT_MS  2000
#define CANCELLER_IDLE_MS  10000
#define CANCELLER_RETRY_MS 200
#define ATTEMPT_YOUNG_MS   1000 /* an attempt older than this gets company */

static const struct pg_statement cancel_statement = { "bulwark_cancel",
                                                      "select pg_cancel_backend($1::int)",
                                                      1 };

int pg_dispatch_init(struct pg_dispatch *dispatch,
                     const struct pg_link_settings *settings, unsigned connections,
                     const struct bw_log *log)
{
    memset(dispatch, 0, sizeof *dispatch);
    dispatch->log = log;
    dispatch->links = calloc(connections, sizeof *dispatch->links);
    if (dispatch->links == NULL)
        return BW_ENOMEM;
    dispatch->count = connections;
    for (unsigned i = 0; i < connections; i++)
        pg_link_init(&dispatch->links[i], settings);
    pg_link_init(&dispatch->canceller, settings);
    return BW_OK;
}

void pg_dispatch_fini(struct pg_dispatch *dispatch)
{
    BW_ASSERT(dispatch->waiting.first == NULL && dispatch->finished.first == NULL);
    if (dispatch->links == NULL)
        return;
    for (unsigned i = 0; i < dispatch->count; i++)
        pg_link_fini(&dispatch->links[i]);
    pg_link_fini(&dispatch->canceller);
    free(dispatch->links);
    dispatch->links = NULL;
}

/* --- the queue */

static void wait_in_line(struct pg_dispatch *dispatch, struct pg_batch *batch)
{
    BW_ASSERT(batch->count > 0); /* an empty one has no answer to wait for */
    if (dispatch->waiting.count == 0 ||
        bw_mono_before(batch->deadline, dispatch->next_expiry))
        dispatch->next_expiry = batch->deadline;
    pg_queue_add(&dispatch->waiting, batch);
}

void pg_dispatch_accept(struct pg_dispatch *dispatch, struct pg_queue *incoming)
{
    struct pg_batch *batch;

    while ((batch = pg_queue_take(incoming)) != NULL) {
        BW_ASSERT(batch->done != NULL && batch->ticket != 0);
        pg_batch_forget(batch);
        batch->sends = 0;
        if (batch->count == 0) {
            pg_queue_add(&dispatch->finished, batch);
        } else if (dispatch->waiting.count >= WAITING_MAX) {
            pg_batch_settle(batch, PG_TRANSIENT, false, NULL,
                            "too many batches wait for the database");
            pg_queue_add(&dispatch->finished, batch);
        } else {
            wait_in_line(dispatch, batch);
        }
    }
}

void pg_dispatch_cancel(struct pg_dispatch *dispatch, uint64_t ticket, struct bw_mono now)
{
    BW_ASSERT(ticket != 0);
    for (struct pg_batch *batch = dispatch->waiting.first; batch != NULL;
         batch = batch->next) {
        if (batch->ticket == ticket) {
            batch->deadline = now;
            dispatch->next_expiry = now;
            return;
        }
    }
    for (unsigned i = 0; i < dispatch->count; i++) {
        if (pg_link_hasten(&dispatch->links[i], ticket, now))
            return;
    }
}

static void expire_waiting(struct pg_dispatch *dispatch, struct bw_mono now)
{
    struct pg_queue kept = { 0 };
    struct pg_batch *batch;

    if (dispatch->waiting.count == 0 || bw_mono_before(now, dispatch->next_expiry))
        return;
    pg_queue_move(&kept, &dispatch->waiting);
    while ((batch = pg_queue_take(&kept)) != NULL) {
        if (bw_mono_before(now, batch->deadline)) {
            wait_in_line(dispatch, batch);
            continue;
        }
        pg_batch_settle(batch, PG_TRANSIENT, false, NULL,
                        dispatch->reachable ? "no database connection became free in time"
                                            : dispatch->error);
        pg_queue_add(&dispatch->finished, batch);
    }
}

/* Batches of which nothing was done go to the head of the line, as long as they have
 * time. */
static void take_again(struct pg_dispatch *dispatch, struct pg_queue *ended,
                       struct bw_mono now)
{
    struct pg_batch *batch;

    while ((batch = pg_queue_take(ended)) != NULL) {
        if (!batch->again || !bw_mono_before(now, batch->deadline)) {
            pg_queue_add(&dispatch->finished, batch);
            continue;
        }
        pg_batch_forget(batch);
        if (dispatch->waiting.count == 0 ||
            bw_mono_before(batch->deadline, dispatch->next_expiry))
            dispatch->next_expiry = batch->deadline;
        pg_queue_add_first(&dispatch->waiting, batch);
    }
}

/* --- what became of a connection */

static bool any_ready(const struct pg_dispatch *dispatch)
{
    for (unsigned i = 0; i < dispatch->count; i++)
        if (dispatch->links[i].state == PG_LINK_READY)
            return true;
    return false;
}

static void note_ready(struct pg_dispatch *dispatch)
{
    BW_ASSERT(any_ready(dispatch));
    dispatch->reachable = true;
    dispatch->backoff_ms = 0;
    if (dispatch->lost > 0) {
        dispatch->lost--;
        dispatch->reconnects++;
    }
    if (dispatch->told || !dispatch->was_ready)
        bw_log(dispatch->log, BW_LOG_INFO, "database connected");
    dispatch->told = false;
    dispatch->was_ready = true;
}

static void note_failed(struct pg_dispatch *dispatch, const struct pg_link *link,
                        struct bw_mono now)
{
    int64_t ms = dispatch->backoff_ms * 2;

    if (ms < BACKOFF_FIRST_MS)
        ms = BACKOFF_FIRST_MS;
    dispatch->backoff_ms = ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
    dispatch->retry_at = bw_mono_add_ms(now, dispatch->backoff_ms);
    if (!any_ready(dispatch)) /* else it is only that no further one is let in */
        dispatch->reachable = false;
    (void)snprintf(dispatch->error, sizeof dispatch->error, "%s", link->error); /* cut */
    if (!dispatch->told)
        bw_log(dispatch->log, BW_LOG_WARNING, "database not reachable, trying on",
               bw_text("reason", link->error));
    dispatch->told = true;
}

static void note_lost(struct pg_dispatch *dispatch, const struct pg_link *link,
                      struct bw_mono now)
{
    dispatch->retry_at = now;
    dispatch->lost++;
    dispatch->reachable = false;
    (void)snprintf(dispatch->error, sizeof dispatch->error, "%s", link->error); /* cut */
    bw_log(dispatch->log, BW_LOG_WARNING, "database connection lost",
           bw_text("reason", link->error));
    dispatch->told = true;
}

/* Compares a connection with what it was before it was turned. */
static void note_change(struct pg_dispatch *dispatch, struct pg_link *link,
                        enum pg_link_state before, struct bw_mono now)
{
    if (link->answers > 0)
        dispatch->reachable = true;
    dispatch->round_trips += link->answers;
    dispatch->statements += link->statements;
    link->answers = 0;
    link->statements = 0;
    if (link->state == before)
        return;
    if (link->state == PG_LINK_READY)
        note_ready(dispatch);
    else if (link->state == PG_LINK_CLOSED && before == PG_LINK_READY)
        note_lost(dispatch, link, now);
    else if (link->state == PG_LINK_CLOSED)
        note_failed(dispatch, link, now);
}

/* --- sending */

static struct pg_link *least_busy(struct pg_dispatch *dispatch)
{
    struct pg_link *best = NULL;

    for (unsigned i = 0; i < dispatch->count; i++) {
        struct pg_link *link = &dispatch->links[i];

        if (pg_link_is_free(link) && (best == NULL || link->count < best->count))
            best = link;
    }
    return best;
}

static void send_waiting(struct pg_dispatch *dispatch, struct bw_mono now)
{
    struct pg_link *link;

    while (dispatch->waiting.first != NULL && (link = least_busy(dispatch)) != NULL) {
        struct pg_queue ended = { 0 };

        pg_link_send(link, pg_queue_take(&dispatch->waiting), now, &ended);
        note_change(dispatch, link, PG_LINK_READY, now);
        take_again(dispatch, &ended, now);
    }
}

/* --- opening */

struct census {
    unsigned ready, young, closed;
    size_t in_flight;
};

static struct census take_census(const struct pg_dispatch *dispatch, struct bw_mono now)
{
    struct census census = { 0 };

    for (unsigned i = 0; i < dispatch->count; i++) {
        const struct pg_link *link = &dispatch->links[i];
        struct bw_mono old = bw_mono_add_ms(link->opened_at, ATTEMPT_YOUNG_MS);

        census.in_flight += link->count;
        if (link->state == PG_LINK_READY)
            census.ready++;
        else if (link->state == PG_LINK_CLOSED)
            census.closed++;
        else if (bw_mono_before(now, old))
            census.young++;
    }
    return census;
}

/* How many connections should be opened now: as many as there are batches, one at least;
 * one at a time while the server does not answer. An attempt that hangs does not hold up
 * the next. */
static unsigned openings_due(const struct pg_dispatch *dispatch, struct bw_mono now)
{
    struct census census = take_census(dispatch, now);
    size_t wanted = census.in_flight + dispatch->waiting.count;
    size_t have = census.ready + census.young;

    if (bw_mono_before(now, dispatch->retry_at))
        return 0;
    if (wanted == 0 || (census.ready == 0 && !dispatch->reachable))
        wanted = 1;
    if (wanted <= have)
        return 0;
    return wanted - have < census.closed ? (unsigned)(wanted - have) : census.closed;
}

static void open_links(struct pg_dispatch *dispatch, struct bw_mono now)
{
    unsigned due = openings_due(dispatch, now);

    for (unsigned i = 0; i < dispatch->count && due > 0; i++) {
        struct pg_link *link = &dispatch->links[i];

        if (link->state != PG_LINK_CLOSED)
            continue;
        pg_link_open(link, now);
        note_change(dispatch, link, PG_LINK_CONNECTING, now);
        due--;
    }
}

/* --- cancelling */

static void cancel_sent(struct pg_batch *batch, void *arg)
{
    struct pg_link *link = arg;

    BW_ASSERT(batch->count == 1 && batch->entries[0].statement == &cancel_statement);
    /* The request has been carried out, or will never be: the connection may be used
     * again once what it was stuck on is answered. */
    if (link->cancel == PG_CANCEL_SENT &&
        pg_link_backend(link) == atoi(pg_batch_param(batch, &batch->entries[0], 0)))
        link->cancel = PG_CANCEL_NONE;
    pg_batch_destroy(&batch);
}

/* At once: what waits for the connection is sent in the same turn. */
static void end_cancels(struct pg_queue *ended)
{
    struct pg_batch *batch;

    while ((batch = pg_queue_take(ended)) != NULL) {
        BW_ASSERT(batch->done == cancel_sent);
        cancel_sent(batch, batch->arg);
    }
}

static void send_cancel(struct pg_dispatch *dispatch, struct pg_link *link,
                        struct bw_mono now)
{
    char backend[16];
    const char *params[] = { backend };
    struct pg_batch *batch;
    struct pg_queue ended = { 0 };

    BW_ASSERT(pg_link_is_stuck(link) && link->cancel == PG_CANCEL_WANTED);
    (void)snprintf(backend, sizeof backend, "%d", pg_link_backend(link)); /* fits */
    if (pg_batch_create(&batch) != BW_OK)
        return; /* the grace ends the connection */
    if (pg_batch_add(batch, &cancel_statement, params, 1) < 0) {
        pg_batch_destroy(&batch);
        return;
    }
    batch->deadline = bw_mono_add_ms(now, CANCEL_TIMEOUT_MS);
    batch->done = cancel_sent;
    batch->arg = link;
    link->cancel = PG_CANCEL_SENT;
    link->ask_at = bw_mono_add_ms(now, CANCEL_REPEAT_MS);
    link->cancelled = true;
    pg_link_send(&dispatch->canceller, batch, now, &ended);
    end_cancels(&ended);
}

/* A pooler's process numbers mean nothing to the server; there a statement timeout does
 * it. */
static bool may_cancel(const struct pg_link *link)
{
    return !link->settings->url->unnamed;
}

static struct bw_mono canceller_retry_at(const struct pg_dispatch *dispatch)
{
    return bw_mono_add_ms(dispatch->canceller.opened_at, CANCELLER_RETRY_MS);
}

/* Connections whose server process works on something that was given up. A connection
 * that does not come free in time is closed; the server then notices by itself. */
static void serve_stuck(struct pg_dispatch *dispatch, struct bw_mono now)
{
    struct pg_queue ended = { 0 };
    bool wanted = false;

    for (unsigned i = 0; i < dispatch->count; i++) {
        struct pg_link *link = &dispatch->links[i];

        if (!pg_link_is_stuck(link))
            continue;
        if (!bw_mono_before(now, bw_mono_add_ms(link->orphan_since, CANCEL_GRACE_MS))) {
            pg_link_close(link, "no answer after the deadline", &ended);
            note_change(dispatch, link, PG_LINK_READY, now);
            continue;
        }
        if (link->cancel == PG_CANCEL_NONE && may_cancel(link) &&
            !bw_mono_before(now, link->ask_at))
            link->cancel = PG_CANCEL_WANTED;
        if (link->cancel == PG_CANCEL_WANTED && pg_link_is_free(&dispatch->canceller))
            send_cancel(dispatch, link, now);
        wanted = wanted || link->cancel == PG_CANCEL_WANTED;
    }
    take_again(dispatch, &ended, now);
    if (wanted && dispatch->canceller.state == PG_LINK_CLOSED &&
        !bw_mono_before(now, canceller_retry_at(dispatch)))
        pg_link_open(&dispatch->canceller, now);
}

static void tend_canceller(struct pg_dispatch *dispatch, struct bw_mono now)
{
    struct pg_link *canceller = &dispatch->canceller;
    struct pg_queue ended = { 0 };

    pg_link_expire(canceller, now, &ended);
    if (canceller->orphans > 0)
        pg_link_close(canceller, "a cancel request was not answered", &ended);
    if (canceller->state != PG_LINK_READY || canceller->count > 0)
        dispatch->canceller_idle_since = now;
    else if (!bw_mono_before(
                 now, bw_mono_add_ms(dispatch->canceller_idle_since, CANCELLER_IDLE_MS)))
        pg_link_close(canceller, "idle", &ended);
    end_cancels(&ended);
}

/* --- the turn */

static void tend_links(struct pg_dispatch *dispatch, struct bw_mono now)
{
    for (unsigned i = 0; i < dispatch->count; i++) {
        struct pg_link *link = &dispatch->links[i];
        enum pg_link_state before = link->state;
        struct pg_queue ended = { 0 };

        pg_link_expire(link, now, &ended);
        note_change(dispatch, link, before, now);
        if (link->retired && link->count == 0)
            pg_link_close(link, "its plans are stale", &ended);
        take_again(dispatch, &ended, now);
    }
}

void pg_dispatch_turn(struct pg_dispatch *dispatch, struct bw_mono now)
{
    expire_waiting(dispatch, now);
    tend_links(dispatch, now);
    tend_canceller(dispatch, now);
    serve_stuck(dispatch, now);
    send_waiting(dispatch, now);
    open_links(dispatch, now);
}

/* --- waiting */

size_t pg_dispatch_fds(const struct pg_dispatch *dispatch)
{
    return dispatch->count + 1;
}

static struct pg_link *link_at(struct pg_dispatch *dispatch, size_t index)
{
    return index < dispatch->count ? &dispatch->links[index] : &dispatch->canceller;
}

static void sooner(struct bw_mono *at, struct bw_mono candidate)
{
    if (bw_mono_before(candidate, *at))
        *at = candidate;
}

static void sooner_if_ahead(struct bw_mono *at, struct bw_mono now,
                            struct bw_mono candidate)
{
    if (bw_mono_before(now, candidate))
        sooner(at, candidate);
}

static void next_of_stuck(const struct pg_dispatch *dispatch, const struct pg_link *link,
                          struct bw_mono *at)
{
    sooner(at, bw_mono_add_ms(link->orphan_since, CANCEL_GRACE_MS));
    if (link->cancel == PG_CANCEL_NONE && may_cancel(link))
        sooner(at, link->ask_at);
    if (link->cancel == PG_CANCEL_WANTED && dispatch->canceller.state == PG_LINK_CLOSED)
        sooner(at, canceller_retry_at(dispatch));
}

static struct bw_mono next_event(struct pg_dispatch *dispatch, struct bw_mono now)
{
    const struct pg_link *canceller = &dispatch->canceller;
    struct bw_mono at = { INT64_MAX };

    if (dispatch->waiting.count > 0)
        at = dispatch->next_expiry;
    for (unsigned i = 0; i < dispatch->count; i++) {
        const struct pg_link *link = &dispatch->links[i];

        pg_link_next_deadline(link, &at);
        if (pg_link_is_stuck(link))
            next_of_stuck(dispatch, link, &at);
        if (link->state == PG_LINK_CONNECTING || link->state == PG_LINK_SETTING_UP)
            sooner_if_ahead(&at, now, bw_mono_add_ms(link->opened_at, ATTEMPT_YOUNG_MS));
    }
    pg_link_next_deadline(canceller, &at);
    if (canceller->state == PG_LINK_READY && canceller->count == 0)
        sooner(&at, bw_mono_add_ms(dispatch->canceller_idle_since, CANCELLER_IDLE_MS));
    sooner_if_ahead(&at, now, dispatch->retry_at);
    return at;
}

int pg_dispatch_poll(struct pg_dispatch *dispatch, struct pollfd *fds, struct bw_mono now)
{
    struct bw_mono at = next_event(dispatch, now);
    int64_t ms;

    for (size_t i = 0; i <= dispatch->count; i++) {
        fds[i].events = 0;
        fds[i].revents = 0;
        fds[i].fd = pg_link_fd(link_at(dispatch, i), &fds[i].events);
    }
    if (at.ns == INT64_MAX)
        return -1;
    ms = bw_mono_ms_until(now, at);
    return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

void pg_dispatch_serve(struct pg_dispatch *dispatch, const struct pollfd *fds,
                       struct bw_mono now)
{
    for (size_t i = 0; i < dispatch->count; i++) {
        struct pg_link *link = &dispatch->links[i];
        enum pg_link_state before = link->state;
        struct pg_queue ended = { 0 };

        if (fds[i].fd < 0 || fds[i].revents == 0)
            continue;
        pg_link_turn(link, now, &ended);
        note_change(dispatch, link, before, now);
        take_again(dispatch, &ended, now);
    }
    if (fds[dispatch->count].fd >= 0 && fds[dispatch->count].revents != 0) {
        struct pg_queue ended = { 0 };

        pg_link_turn(&dispatch->canceller, now, &ended);
        end_cancels(&ended);
    }
}

void pg_dispatch_fail(struct pg_dispatch *dispatch, const char *reason)
{
    struct pg_queue cancels = { 0 };
    struct pg_batch *batch;

    for (size_t i = 0; i < dispatch->count; i++)
        pg_link_close(&dispatch->links[i], reason, &dispatch->finished);
    pg_link_close(&dispatch->canceller, reason, &cancels);
    end_cancels(&cancels);
    while ((batch = pg_queue_take(&dispatch->waiting)) != NULL) {
        pg_batch_settle(batch, PG_TRANSIENT, false, NULL, reason);
        pg_queue_add(&dispatch->finished, batch);
    }
    BW_ASSERT(dispatch->waiting.count == 0);
    dispatch->reachable = false;
}
