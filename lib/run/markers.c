#include "run/markers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "queue/calls.h"
#include "jobs/lanes.h"
#include "run/links.h"

enum {
    SHORTEST_WAIT_MS = 1000,
    WATCHDOG_MS = 1000,   /* a reply this late means that the link is dead (§4.6) */
    UNBREAKABLE_MS = 250, /* what a new queue of several has to wait for, at most */
    GATHER_MS = 2,        /* changes of the set are gathered for so long */
    FIRST_PAUSE_MS = 10,  /* after an error; doubled for each in a row */
    LONGEST_PAUSE_MS = 1000,
    REFUSALS_TO_TELL = 8 /* in a row: some seconds */
};

static void on_timer(void *arg);
static void on_marker(const struct bw_reply *reply, const struct bw_error *err,
                      void *arg);
static void on_unblocked(const struct bw_reply *reply, const struct bw_error *err,
                         void *arg);
static void break_wait(struct bw_markers *markers);

/* --- life */

int bw_markers_prepare(struct bw_markers *markers, struct bw_lanes *lanes,
                       const struct bw_links *links, struct bw_log *log,
                       struct bw_error *err)
{
    BW_ASSERT(markers->of == NULL);
    markers->lanes = lanes;
    markers->links = links;
    markers->log = log;
    markers->of = bw_calloc(lanes->count + 1, sizeof *markers->of);
    if (markers->of == NULL ||
        bw_timer_create(&markers->timer, lanes->caller.loop, on_timer, markers) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return BW_OK;
}

void bw_markers_fini(struct bw_markers *markers)
{
    bw_timer_destroy(&markers->timer);
    free(markers->of);
    markers->of = NULL;
    bw_cmd_fini(&markers->cmd);
}

/* --- when to look */

void bw_markers_touch(struct bw_markers *markers)
{
    markers->changed = true;
}

static void on_timer(void *arg)
{
    bw_markers_touch(arg);
}

static struct bw_mono now_of(const struct bw_markers *markers)
{
    return bw_caller_now(&markers->lanes->caller);
}

/* Has the state looked at then, or before. */
static void look_again(struct bw_markers *markers, struct bw_mono at)
{
    int64_t delay_ms = bw_mono_ms_until(now_of(markers), at);

    /* A part of a millisecond may be left when the timer fires. */
    bw_timer_start(markers->timer, delay_ms > 0 ? delay_ms : 1);
}

static bool is_before(const struct bw_markers *markers, struct bw_mono at)
{
    return bw_mono_before(now_of(markers), at);
}

static struct bw_mono in_ms(const struct bw_markers *markers, int64_t ms)
{
    return bw_mono_add_ms(now_of(markers), ms);
}

/* A settle call of the woken lane was answered, or lost. */
static void look_at_woken(struct bw_markers *markers)
{
    if (markers->woken == NULL || markers->woken->settling.ended == markers->woken_ended)
        return;
    markers->woken = NULL;
    markers->changed = true;
}

static bool is_one_missing(const struct bw_markers *markers)
{
    const struct bw_lanes *lanes = markers->lanes;

    for (size_t i = 0; i < lanes->count; i++) {
        if (!markers->of[i].in_wait && bw_lane_wants_marker(lanes->lane[i]))
            return true;
    }
    return false;
}

/* A wait that lacks a lane is broken, but several lanes' changes are gathered first. */
static void widen_wait(struct bw_markers *markers)
{
    if (!is_one_missing(markers)) {
        markers->break_at.ns = 0;
        return;
    }
    if (markers->break_at.ns == 0)
        markers->break_at =
            in_ms(markers, markers->unbreakable ? SHORTEST_WAIT_MS : GATHER_MS);
    break_wait(markers);
}

static bool awaits_woken(const struct bw_markers *markers)
{
    return markers->woken != NULL && bw_settle_is_out(&markers->woken->settling);
}

static void begin_wait(struct bw_markers *markers);

void bw_markers_turn(struct bw_markers *markers)
{
    look_at_woken(markers);
    if (!markers->changed)
        return;
    markers->changed = false;
    if (markers->waiting && markers->stopped)
        break_wait(markers);
    else if (markers->waiting)
        widen_wait(markers);
    else if (markers->stopped || awaits_woken(markers) ||
             !bw_caller_can_call(&markers->lanes->caller) ||
             !bw_links_can_wait(markers->links))
        return; /* each of these ends with a touch */
    else if (is_before(markers, markers->begin_at))
        look_again(markers, markers->begin_at);
    else
        begin_wait(markers);
}

void bw_markers_stop(struct bw_markers *markers)
{
    markers->stopped = true;
    bw_markers_touch(markers);
}

/* --- waiting */

/* A wait that cannot be broken keeps out lanes that are drained meanwhile: it is short.
 */
static int64_t wait_time(const struct bw_markers *markers)
{
    const struct bw_lanes *lanes = markers->lanes;
    bool unbreakable = markers->unbreakable || bw_links_wait_id(markers->links) == 0;
    int64_t least = BW_MARKERS_WAIT_MS;

    if (unbreakable && lanes->count > 1)
        return UNBREAKABLE_MS;

    for (size_t i = 0; i < lanes->count; i++) {
        int64_t delay = lanes->lane[i]->options.drain_delay;

        if (markers->of[i].in_wait && delay < least)
            least = delay;
    }
    return least > SHORTEST_WAIT_MS ? least : SHORTEST_WAIT_MS;
}

static unsigned build_wait(struct bw_markers *markers)
{
    const struct bw_lanes *lanes = markers->lanes;
    struct bw_cmd *cmd = &markers->cmd;
    unsigned keys = 0;

    bw_cmd_clear(cmd);
    bw_cmd_str(cmd, "BZPOPMIN");
    for (size_t i = 0; i < lanes->count; i++) {
        const struct bw_lane *lane = lanes->lane[i];

        BW_ASSERT(lane->index == i);
        markers->of[i].in_wait = bw_lane_wants_marker(lane);
        if (!markers->of[i].in_wait)
            continue;
        bw_cmd_arg(cmd, lane->keys.text[BW_KEY_MARKER], lane->keys.len[BW_KEY_MARKER]);
        keys++;
    }
    return keys;
}

static void begin_wait(struct bw_markers *markers)
{
    int64_t timeout;
    char seconds[32];

    BW_ASSERT(!markers->waiting && !markers->stopped);
    if (build_wait(markers) == 0)
        return;
    timeout = wait_time(markers);
    (void)snprintf(seconds, sizeof seconds, "%" PRId64 ".%03" PRId64, timeout / 1000,
                   timeout % 1000);
    bw_cmd_str(&markers->cmd, seconds);
    markers->waiting =
        bw_conn_send(markers->links->blocking, &markers->cmd,
                     (unsigned)(timeout + WATCHDOG_MS), on_marker, markers) == BW_OK;
    if (!markers->waiting) { /* without memory the polls go on, and this is tried again */
        markers->begin_at = in_ms(markers, LONGEST_PAUSE_MS);
        look_again(markers, markers->begin_at);
    }
}

/* --- breaking the wait */

static void break_wait(struct bw_markers *markers)
{
    struct bw_caller *caller = &markers->lanes->caller;
    struct bw_cmd *cmd;

    BW_ASSERT(markers->waiting);
    if (markers->unblocking || bw_links_wait_id(markers->links) == 0 ||
        !bw_conn_is_ready(caller->conn))
        return; /* this, or the link's return, has it looked at again */
    if (is_before(markers, markers->break_at)) {
        look_again(markers, markers->break_at);
        return;
    }
    cmd = bw_caller_cmd(caller);
    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "UNBLOCK");
    bw_cmd_int(cmd, bw_links_wait_id(markers->links));
    markers->unblocking = bw_conn_send(caller->conn, cmd, BW_CALL_TIMEOUT_MS,
                                       on_unblocked, markers) == BW_OK;
    if (!markers->unblocking) {
        markers->break_at = in_ms(markers, LONGEST_PAUSE_MS);
        look_again(markers, markers->break_at);
    }
}

static void on_unblocked(const struct bw_reply *reply, const struct bw_error *err,
                         void *arg)
{
    struct bw_markers *markers = arg;

    BW_ASSERT(markers->unblocking);
    markers->unblocking = false;
    markers->changed = true;
    if (err != NULL && err->code == BW_EREDIS && !markers->unbreakable) {
        markers->unbreakable = true;
        bw_log(markers->log, BW_LOG_WARNING,
               "the wait for markers cannot be broken: waits are short instead",
               bw_text("error", err->text));
    }
    if (err == NULL)
        markers->unbreakable = false;
    /* 0: Redis had not begun to wait yet, or it is just over. If it is still needed:
     * again. */
    if (bw_reply_integer(reply) == 0)
        markers->break_at =
            in_ms(markers, markers->unbreakable ? SHORTEST_WAIT_MS : GATHER_MS);
}

/* --- the wait is answered */

/* We cannot take now, another worker may: it gets the marker back. */
static void give_back(struct bw_lane *lane, const char *member)
{
    struct bw_cmd *cmd = bw_caller_cmd(lane->caller);

    bw_marker_return_build(cmd, &lane->keys, (struct bw_text){ member, strlen(member) });
    /* When this is lost, the other workers' polls find the job. */
    bw_caller_tell(lane->caller, cmd, &lane->log);
}

/* The time that the marker of a delayed job names; 0: it is none. */
static int64_t due_of(const char *member, const char *score)
{
    double due = strtod(score, NULL);

    return strcmp(member, "1") == 0 && due > 0 && due < 9e15 ? (int64_t)due : 0;
}

static bool is_due(const struct bw_lane *lane, int64_t due_ms)
{
    return due_ms <= bw_caller_wall(lane->caller).ms;
}

/* What is owed of the lane, which a fetch meanwhile has paid. */
static struct bw_marker *owed_of(struct bw_markers *markers, const struct bw_lane *lane)
{
    struct bw_marker *marker = &markers->of[lane->index];
    uint64_t fetches = lane->settling.fetches;

    BW_ASSERT(lane->index < markers->lanes->count && marker->fetches <= fetches);
    if (marker->fetches != fetches) {
        marker->fetches = fetches;
        marker->owed = false;
        marker->owed_due_ms = 0;
    }
    return marker;
}

/* Popping the marker of a delayed job makes us answerable for its time
 * (lib/spec/bullmq.md §4.6, BMQ-067).
 */
static void await_due(struct bw_lane *lane, int64_t due_ms)
{
    bw_known_due(&lane->known, due_ms);
    bw_lane_touch(lane);
}

static void marker_came(struct bw_markers *markers, const struct bw_reply *reply)
{
    struct bw_lane *lane =
        bw_lanes_find(markers->lanes, bw_reply_text(bw_reply_at(reply, 0), NULL));
    const char *member = bw_reply_text(bw_reply_at(reply, 1), NULL);
    int64_t due_ms = due_of(member, bw_reply_text(bw_reply_at(reply, 2), NULL));

    if (lane == NULL)
        return; /* an answer to a question we did not ask */
    if (!bw_lane_can_fetch(lane) || bw_lane_free_slots(lane) == 0) {
        give_back(lane, member);
        return;
    }
    if (due_ms > 0)
        owed_of(markers, lane)->owed_due_ms = due_ms;
    else
        owed_of(markers, lane)->owed = true;
    if (due_ms > 0 && !is_due(lane, due_ms)) {
        await_due(lane, due_ms);
        return;
    }
    markers->woken = lane;
    markers->woken_ended = lane->settling.ended;
    bw_lane_wake(lane);
}

/* Redis answers: those of the wait are heard, whatever it brought. */
static void wait_answered(struct bw_markers *markers)
{
    for (size_t i = 0; i < markers->lanes->count; i++)
        markers->of[i].answers += markers->of[i].in_wait;
    if (markers->refusal[0] != '\0')
        bw_log(markers->log, BW_LOG_INFO, "waiting for markers works again");
    markers->refusals = 0;
    markers->refusal[0] = '\0';
}

static void wake_all(const struct bw_markers *markers)
{
    for (size_t i = 0; i < markers->lanes->count; i++)
        bw_lane_wake(markers->lanes->lane[i]);
}

static void wait_refused(struct bw_markers *markers, const struct bw_error *err)
{
    bool news = strcmp(markers->refusal, err->text) != 0;
    int64_t pause = FIRST_PAUSE_MS;

    for (unsigned i = 0; i < markers->refusals && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE_MS)
        pause = LONGEST_PAUSE_MS;
    bw_log(markers->log, news ? BW_LOG_WARNING : BW_LOG_DEBUG,
           "waiting for markers failed", bw_text("error", err->text),
           bw_num("retryMs", pause));
    (void)snprintf(markers->refusal, sizeof markers->refusal, "%s", err->text);
    markers->refusals++;
    markers->begin_at = in_ms(markers, pause);
    if (news) /* the server may have changed its role: what the fetches will tell */
        wake_all(markers);
}

static void on_marker(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_markers *markers = arg;

    BW_ASSERT(markers->waiting);
    markers->waiting = false;
    markers->break_at.ns = 0;
    markers->changed = true;
    if (err == NULL) {
        wait_answered(markers);
        if (bw_reply_kind(reply) == BW_REPLY_ARRAY)
            marker_came(markers, reply);
    } else if (err->code == BW_EREDIS) {
        wait_refused(markers, err);
    } /* else lost: bw_markers_lost() sees to it */
}

/* --- what becomes of it */

static bool is_told_to_stop(const struct bw_lane *lane)
{
    return lane->lanes->ending.draining || !bw_steer_allows(&lane->steer);
}

void bw_markers_return_owed(struct bw_markers *markers, struct bw_lane *lane)
{
    struct bw_marker *marker = owed_of(markers, lane);

    if (bw_lane_can_fetch(lane))
        return;
    if (marker->owed) {
        marker->owed = false;
        give_back(lane, "0");
    }
    if (marker->owed_due_ms > 0 &&
        (is_told_to_stop(lane) || is_due(lane, marker->owed_due_ms))) {
        marker->owed_due_ms = 0;
        give_back(lane, "1");
    }
}

void bw_markers_lost(struct bw_markers *markers)
{
    markers->waiting = false;
    markers->begin_at.ns = markers->break_at.ns = 0;
    markers->woken = NULL;
    bw_markers_touch(markers);
    wake_all(markers);
}

bool bw_markers_refused(const struct bw_markers *markers)
{
    return markers->refusals > REFUSALS_TO_TELL;
}
