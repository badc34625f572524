#include "run/markers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "jobs/lane.h"
#include "run/reactor.h"

enum {
    SHORTEST_WAIT_MS = 1000,
    WATCHDOG_MS = 1000,   /* a reply this late means that the link is dead (§4.6) */
    UNBREAKABLE_MS = 250, /* what a new queue of several has to wait for, at most */
    GATHER_MS = 2,        /* changes of the set are gathered for so long */
    FIRST_PAUSE_MS = 10,  /* after an error; doubled for each in a row */
    LONGEST_PAUSE_MS = 1000,
    REFUSALS_TO_TELL = 8 /* in a row: some seconds */
};

void bw_markers_touch(struct bw_reactor *reactor)
{
    reactor->markers.changed = true;
}

static void on_timer(void *arg)
{
    bw_markers_touch(arg);
}

/* Has the state looked at then, or before. */
static void look_again(struct bw_reactor *reactor, struct bw_mono at)
{
    int64_t delay_ms = bw_mono_ms_until(bw_reactor_now(reactor), at);

    /* A part of a millisecond may be left when the timer fires. */
    bw_timer_start(reactor->markers.timer, delay_ms > 0 ? delay_ms : 1);
}

static bool is_before(struct bw_reactor *reactor, struct bw_mono at)
{
    return bw_mono_before(bw_reactor_now(reactor), at);
}

static struct bw_mono in_ms(struct bw_reactor *reactor, int64_t ms)
{
    return bw_mono_add_ms(bw_reactor_now(reactor), ms);
}

int bw_markers_prepare(struct bw_reactor *reactor, struct bw_error *err)
{
    struct bw_markers *markers = &reactor->markers;

    markers->in_wait = bw_calloc(reactor->lane_count + 1, sizeof *markers->in_wait);
    if (markers->in_wait == NULL ||
        bw_timer_create(&markers->timer, reactor->loop, on_timer, reactor) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

void bw_markers_fini(struct bw_reactor *reactor)
{
    bw_timer_destroy(&reactor->markers.timer);
    free(reactor->markers.in_wait);
    reactor->markers.in_wait = NULL;
    bw_cmd_fini(&reactor->markers.cmd);
}

/* --- a marker came */

static int by_marker(const void *key, const void *element)
{
    struct bw_lane *const *lane = element;

    return strcmp(key, (*lane)->keys.text[BW_KEY_MARKER]);
}

static struct bw_lane *find_queue(const struct bw_reactor *reactor, const char *key)
{
    struct bw_lane **found = bsearch(key, reactor->lanes, reactor->lane_count,
                                     sizeof *reactor->lanes, by_marker);

    return found != NULL ? *found : NULL;
}

/* We cannot take now, another worker may: it gets the marker back. */
static void give_back(struct bw_lane *lane, const char *member)
{
    struct bw_cmd *cmd = bw_reactor_cmd(lane->reactor);

    bw_marker_return_build(cmd, &lane->keys, (struct bw_text){ member, strlen(member) });
    /* When this is lost, the other workers' polls find the job. */
    bw_reactor_tell(lane->reactor, cmd, lane);
}

/* The time that the marker of a delayed job names; 0: it is none. */
static int64_t due_of(const char *member, const char *score)
{
    double due = strtod(score, NULL);

    return strcmp(member, "1") == 0 && due > 0 && due < 9e15 ? (int64_t)due : 0;
}

static bool is_due(const struct bw_lane *lane, int64_t due_ms)
{
    return due_ms <= bw_loop_wall(lane->reactor->loop).ms;
}

/* Popping the marker of a delayed job makes us answerable for its time
 * (lib/spec/bullmq.md §4.6, BMQ-067).
 */
static void await_due(struct bw_lane *lane, int64_t due_ms)
{
    if (lane->due_ms == 0 || due_ms < lane->due_ms)
        lane->due_ms = due_ms;
    bw_lane_touch(lane);
}

static bool is_told_to_stop(const struct bw_lane *lane)
{
    return lane->reactor->draining || atomic_load(&lane->quiet) ||
           (atomic_load(&lane->held) && atomic_load(&lane->let) == 0);
}

void bw_markers_return_owed(struct bw_lane *lane)
{
    if (bw_lane_can_fetch(lane))
        return;
    if (lane->owes_marker) {
        lane->owes_marker = false;
        give_back(lane, "0");
    }
    if (lane->owes_due_ms > 0 &&
        (is_told_to_stop(lane) || is_due(lane, lane->owes_due_ms))) {
        lane->owes_due_ms = 0;
        give_back(lane, "1");
    }
}

static void marker_came(struct bw_reactor *reactor, const struct bw_reply *reply)
{
    struct bw_lane *lane =
        find_queue(reactor, bw_reply_text(bw_reply_at(reply, 0), NULL));
    const char *member = bw_reply_text(bw_reply_at(reply, 1), NULL);
    int64_t due_ms = due_of(member, bw_reply_text(bw_reply_at(reply, 2), NULL));

    if (lane == NULL)
        return; /* an answer to a question we did not ask */
    if (!bw_lane_can_fetch(lane) || bw_lane_free_slots(lane) == 0) {
        give_back(lane, member);
        return;
    }
    if (due_ms > 0)
        lane->owes_due_ms = due_ms;
    else
        lane->owes_marker = true;
    if (due_ms > 0 && !is_due(lane, due_ms)) {
        await_due(lane, due_ms);
        return;
    }
    reactor->markers.woken = lane;
    bw_lane_wake(lane);
}

/* Redis answers: those of the wait are heard, whatever it brought. */
static void wait_answered(struct bw_reactor *reactor)
{
    struct bw_markers *markers = &reactor->markers;

    for (size_t i = 0; i < reactor->lane_count; i++) {
        if (markers->in_wait[i])
            reactor->lanes[i]->unheard_ms = 0;
    }
    if (markers->refusal[0] != '\0')
        bw_log(&reactor->log, BW_LOG_INFO, "waiting for markers works again");
    markers->refusals = 0;
    markers->refusal[0] = '\0';
}

static void wake_all(struct bw_reactor *reactor)
{
    for (size_t i = 0; i < reactor->lane_count; i++)
        bw_lane_wake(reactor->lanes[i]);
}

static void wait_refused(struct bw_reactor *reactor, const struct bw_error *err)
{
    struct bw_markers *markers = &reactor->markers;
    bool news = strcmp(markers->refusal, err->text) != 0;
    int64_t pause = FIRST_PAUSE_MS;

    for (unsigned i = 0; i < markers->refusals && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE_MS)
        pause = LONGEST_PAUSE_MS;
    bw_log(&reactor->log, news ? BW_LOG_WARNING : BW_LOG_DEBUG,
           "waiting for markers failed", bw_text("error", err->text),
           bw_num("retryMs", pause));
    (void)snprintf(markers->refusal, sizeof markers->refusal, "%s", err->text);
    markers->refusals++;
    markers->begin_at = in_ms(reactor, pause);
    if (news) /* the server may have changed its role: what the fetches will tell */
        wake_all(reactor);
}

static void on_marker(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_markers *markers = &reactor->markers;

    markers->waiting = false;
    markers->break_at.ns = 0;
    markers->changed = true;
    if (err == NULL) {
        wait_answered(reactor);
        if (bw_reply_kind(reply) == BW_REPLY_ARRAY)
            marker_came(reactor, reply);
    } else if (err->code == BW_EREDIS) {
        wait_refused(reactor, err);
    } /* else lost: bw_markers_lost() sees to it */
}

/* --- waiting */

/* A wait that cannot be broken keeps out queues that are drained meanwhile: it is short.
 */
static int64_t wait_time(const struct bw_reactor *reactor)
{
    bool unbreakable = reactor->markers.unbreakable || reactor->links.blocking_id == 0;
    int64_t least = BW_MARKERS_WAIT_MS;

    if (unbreakable && reactor->lane_count > 1)
        return UNBREAKABLE_MS;

    for (size_t i = 0; i < reactor->lane_count; i++) {
        int64_t delay = reactor->lanes[i]->options.drain_delay;

        if (reactor->markers.in_wait[i] && delay < least)
            least = delay;
    }
    return least > SHORTEST_WAIT_MS ? least : SHORTEST_WAIT_MS;
}

static unsigned build_wait(struct bw_reactor *reactor)
{
    struct bw_markers *markers = &reactor->markers;
    struct bw_cmd *cmd = &markers->cmd;
    unsigned keys = 0;

    bw_cmd_clear(cmd);
    bw_cmd_str(cmd, "BZPOPMIN");
    for (size_t i = 0; i < reactor->lane_count; i++) {
        struct bw_lane *lane = reactor->lanes[i];

        markers->in_wait[i] = bw_lane_wants_marker(lane);
        if (!markers->in_wait[i])
            continue;
        bw_cmd_arg(cmd, lane->keys.text[BW_KEY_MARKER], lane->keys.len[BW_KEY_MARKER]);
        keys++;
    }
    return keys;
}

static void begin_wait(struct bw_reactor *reactor)
{
    struct bw_markers *markers = &reactor->markers;
    int64_t timeout;
    char seconds[32];

    if (build_wait(reactor) == 0)
        return;
    timeout = wait_time(reactor);
    (void)snprintf(seconds, sizeof seconds, "%" PRId64 ".%03" PRId64, timeout / 1000,
                   timeout % 1000);
    bw_cmd_str(&markers->cmd, seconds);
    markers->waiting =
        bw_conn_send(reactor->links.blocking, &markers->cmd,
                     (unsigned)(timeout + WATCHDOG_MS), on_marker, reactor) == BW_OK;
    if (!markers->waiting) { /* without memory the polls go on, and this is tried again */
        markers->begin_at = in_ms(reactor, LONGEST_PAUSE_MS);
        look_again(reactor, markers->begin_at);
    }
}

/* --- breaking the wait */

static void on_unblocked(const struct bw_reply *reply, const struct bw_error *err,
                         void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_markers *markers = &reactor->markers;

    markers->unblocking = false;
    markers->changed = true;
    if (err != NULL && err->code == BW_EREDIS && !markers->unbreakable) {
        markers->unbreakable = true;
        bw_log(&reactor->log, BW_LOG_WARNING,
               "the wait for markers cannot be broken: waits are short instead",
               bw_text("error", err->text));
    }
    if (err == NULL)
        markers->unbreakable = false;
    /* 0: Redis had not begun to wait yet, or it is just over. If it is still needed:
     * again. */
    if (bw_reply_integer(reply) == 0)
        markers->break_at =
            in_ms(reactor, markers->unbreakable ? SHORTEST_WAIT_MS : GATHER_MS);
}

static void break_wait(struct bw_reactor *reactor)
{
    struct bw_markers *markers = &reactor->markers;
    struct bw_cmd *cmd;

    if (markers->unblocking || reactor->links.blocking_id == 0 ||
        !bw_conn_is_ready(reactor->links.command))
        return; /* this, or the link's return, has it looked at again */
    if (is_before(reactor, markers->break_at)) {
        look_again(reactor, markers->break_at);
        return;
    }
    cmd = bw_reactor_cmd(reactor);
    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "UNBLOCK");
    bw_cmd_int(cmd, reactor->links.blocking_id);
    markers->unblocking = bw_conn_send(reactor->links.command, cmd, BW_CALL_TIMEOUT_MS,
                                       on_unblocked, reactor) == BW_OK;
    if (!markers->unblocking) {
        markers->break_at = in_ms(reactor, LONGEST_PAUSE_MS);
        look_again(reactor, markers->break_at);
    }
}

static bool is_one_missing(const struct bw_reactor *reactor)
{
    for (size_t i = 0; i < reactor->lane_count; i++) {
        if (!reactor->markers.in_wait[i] && bw_lane_wants_marker(reactor->lanes[i]))
            return true;
    }
    return false;
}

/* A wait that lacks a queue is broken, but several queues' changes are gathered first. */
static void widen_wait(struct bw_reactor *reactor)
{
    struct bw_markers *markers = &reactor->markers;

    if (!is_one_missing(reactor)) {
        markers->break_at.ns = 0;
        return;
    }
    if (markers->break_at.ns == 0)
        markers->break_at =
            in_ms(reactor, markers->unbreakable ? SHORTEST_WAIT_MS : GATHER_MS);
    break_wait(reactor);
}

static bool awaits_woken(const struct bw_markers *markers)
{
    return markers->woken != NULL && markers->woken->calls_out > 0;
}

void bw_markers_answered(struct bw_reactor *reactor, const struct bw_lane *lane)
{
    if (reactor->markers.woken != lane)
        return;
    reactor->markers.woken = NULL;
    bw_markers_touch(reactor);
}

void bw_markers_turn(struct bw_reactor *reactor)
{
    struct bw_markers *markers = &reactor->markers;

    if (!markers->changed)
        return;
    markers->changed = false;
    if (markers->waiting && markers->stopped)
        break_wait(reactor);
    else if (markers->waiting)
        widen_wait(reactor);
    else if (markers->stopped || awaits_woken(markers) || !bw_reactor_can_call(reactor) ||
             !bw_conn_is_ready(reactor->links.blocking))
        return; /* each of these ends with a touch */
    else if (is_before(reactor, markers->begin_at))
        look_again(reactor, markers->begin_at);
    else
        begin_wait(reactor);
}

void bw_markers_lost(struct bw_reactor *reactor)
{
    struct bw_markers *markers = &reactor->markers;

    markers->waiting = false;
    markers->begin_at.ns = markers->break_at.ns = 0;
    markers->woken = NULL;
    bw_markers_touch(reactor);
    wake_all(reactor);
}

bool bw_markers_refused(const struct bw_markers *markers)
{
    return markers->refusals > REFUSALS_TO_TELL;
}

void bw_markers_stop(struct bw_reactor *reactor)
{
    reactor->markers.stopped = true;
    bw_markers_touch(reactor);
}
