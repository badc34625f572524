/* One queue of a worker: its slots, what is known of its state in Redis, and the decision
 * what to send next. The worker of lib/spec/bullmq.md §11.3, for many slots at once. All
 * on the reactor.
 *
 * Slots: a job occupies one from the fetch that may bring it (`reserved`) until its end
 * is in a settle call, for that call frees the slot before it takes the next job. */
#ifndef BW_JOBS_LANE_H
#define BW_JOBS_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <bulwark/log.h>
#include <bulwark/worker.h>

#include "base/list.h"
#include "queue/calls.h"
#include "queue/keys.h"
#include "redis/loop.h"
#include "jobs/batch.h"
#include "jobs/settle.h"

struct bw_conn;
struct bw_job;
struct bw_reactor;

struct bw_lane_counters { /* written by the reactor, read by any thread */
#define X(type, member, ...) _Atomic BW_FIGURE_##type member;
    BW_QUEUE_FIGURES(X)
#undef X
};

struct bw_refused { /* told once, and again after a while */
    char text[128];
    struct bw_mono told;
};

struct bw_lane {
    struct bw_reactor *reactor;
    size_t index; /* among the reactor's queues */
    char *name, *prefix, *worker_name, *client_name;
    char *qualified_name;            /* "prefix:queue" */
    struct bw_queue_options options; /* its texts are those above */
    struct bw_handler handler;
    void *handler_arg;
    struct bw_keys keys;
    char *group_key;
    struct bw_groups groups; /* its key is that above; NULL: none */
    bool groups_left;        /* of a time with groups there may be some */
    bool groups_asked;
    struct bw_log log;
    struct bw_conn *listing; /* makes us visible to getWorkers; or NULL */
    char token_prefix[48];   /* "<uuid>:", §6.1 */
    uint64_t next_token;
    unsigned batch; /* most jobs a call settles or takes */

    /* Jobs. */
    struct bw_list jobs;      /* all but those that are gone */
    struct bw_list given_up;  /* gone, but their handlers have not answered */
    struct bw_list handbacks; /* jobs/handback.c */
    unsigned job_count;
    struct bw_job *ready_head, *ready_tail;
    unsigned ready_count;
    unsigned held_count;                  /* with their handlers */
    unsigned reserved;                    /* asked for by calls in flight */
    struct bw_job *plan_head, *plan_tail; /* wait in jobs/iterations.c */

    struct bw_batch gathered; /* begun, and not with their handler yet */

    struct bw_settle_call calls[BW_SETTLE_CALLS];
    unsigned calls_out;
    unsigned plan_calls; /* of jobs/iterations.c */

    /* What is known (§11.3). */
    bool plenty;    /* the last fetch found all that it asked for */
    bool drained;   /* the last fetch found less than it asked for */
    bool woken;     /* a sign of jobs came after the last fetch was sent */
    int64_t due_ms; /* wall clock: next delayed job; 0: none known. "blockUntil" */
    /* Markers that were popped for a fetch which has not been sent: run/markers.c. */
    bool owes_marker;
    int64_t owes_due_ms; /* … that of a delayed job: its time; 0: none */
    struct bw_mono limit_until;
    struct bw_mono poll_at; /* when a drained queue is fetched from all the same */
    int64_t deaf_ms;        /* for so long it waits for an answer, or could fetch */
    int64_t unheard_ms;     /* for so long it wanted a marker and no wait was answered */

    /* Trouble. */
    struct bw_mono retry_at;            /* after a call that Redis refused */
    unsigned refusals;                  /* in a row */
    struct bw_mono fetch_at;            /* after a fetch alone that Redis refused */
    unsigned fetch_refusals;            /* in a row */
    struct bw_refused trouble, no_jobs; /* what was told last */
    bool adopt_wanted;                  /* a call was lost that may have taken jobs */
    uint64_t lost_token; /* the first token that such a call may have used */
    bool adopting;
    struct bw_mono adopt_sent;

    struct bw_timer *timer; /* the next of: due, limit, poll, retry */
    struct bw_timer *renew_timer, *stalled_timer;
    bool cancels_asked;          /* jobs/remote_cancel.c */
    struct bw_timer *stop_timer; /* jobs/stop.c */
    struct bw_mono stop_next;    /* when it fires; 0: not */
    uint64_t renewals;           /* calls made */

    _Atomic bool quiet;
    _Atomic bool held;                        /* by the handler */
    _Atomic unsigned let;                     /* jobs that may be fetched all the same */
    bool told_drained, told_quiet, told_last; /* the handler knows */
    bool touched;
    struct bw_lane *next_touched;
    struct bw_lane_counters counters;
};

/* --- jobs/lane_setup.c. Copies options and handler. Names the option that is wrong. */
BW_MUSTCHECK int bw_lane_create(struct bw_lane **lanep, struct bw_reactor *reactor,
                                const struct bw_queue_options *options,
                                const struct bw_handler *handler, void *arg,
                                struct bw_error *err);
/* Frees the jobs that are left as well. */
void bw_lane_destroy(struct bw_lane **lanep);

/* --- jobs/lane.c */

/* Tells the handler, if it wants to know. */
void bw_lane_tell(struct bw_lane *lane, enum bw_event_kind kind, struct bw_text id);
void bw_lane_tell_error(struct bw_lane *lane, const char *error);
/* The same for what is known of a job; sets queue, job and id of `event`. */
void bw_lane_tell_of(const struct bw_job *job, struct bw_event event);
/* In a drain: no call that may bring a job is out or to come, and all that came are with
 * their handler. */
bool bw_lane_is_last(const struct bw_lane *lane);
/* Has the queue looked at before the turn ends. */
void bw_lane_touch(struct bw_lane *lane);
/* Sends what can be sent, and sets the timer for what cannot yet. */
void bw_lane_turn(struct bw_lane *lane);

/* A reply has `asked` for jobs and brought `got`. */
void bw_intake_fetched(struct bw_lane *lane, const struct bw_settle_reply *reply,
                       unsigned asked);
/* A job of a reply: decoded, entered and given to its handler. `since` is when the call
 * was sent: the lock is not older. `first_token` is the least that its token can be:
 * another job is skipped. */
void bw_intake_start(struct bw_lane *lane, const struct bw_reply *fields,
                     struct bw_mono since, uint64_t first_token);
/* The job is ours and nothing stands before it: given to its handler, failed without one,
 * or, beyond the deadline of a drain, handed back. */
void bw_intake_begin(struct bw_job *job);
/* Walks the queue's jobs: NULL gives the first, the last gives NULL. */
struct bw_job *bw_lane_next_job(const struct bw_lane *lane, const struct bw_job *job);
/* The job with this id that its handler has; NULL: none. */
struct bw_job *bw_lane_find_held(const struct bw_lane *lane, struct bw_text id);
/* Which job it is in the order of fetches. */
uint64_t bw_lane_token_number(const struct bw_job *job);
/* The handler has answered. */
void bw_intake_answered(struct bw_job *job);
/* The job's end goes (again) into a settle call: behind the others, or before them; or it
 * is handed back. */
void bw_ready_add(struct bw_job *job);
void bw_ready_add_first(struct bw_job *job);
/* Takes the first ready job. */
struct bw_job *bw_ready_take(struct bw_lane *lane);
/* The job is recorded, or lost to us. */
void bw_lane_job_gone(struct bw_job *job);
/* Takes a held job away from its handler and hands it back; its start counts if it was
 * begun. */
void bw_intake_give_up(struct bw_job *job);
/* Does it wait before it calls Redis again? */
bool bw_lane_in_pause(const struct bw_lane *lane);
/* A call was refused: no more calls for a while, longer each time. */
void bw_lane_refused(struct bw_lane *lane, const char *what, const struct bw_error *err);

/* Redis recorded the ends, but refused something beside them. */
void bw_lane_trouble(struct bw_lane *lane, const char *why);

/* May jobs be fetched at all, and for how many is there room? */
bool bw_lane_can_fetch(const struct bw_lane *lane);
unsigned bw_lane_free_slots(const struct bw_lane *lane);
/* Is it the marker that can tell of new jobs? */
bool bw_lane_wants_marker(const struct bw_lane *lane);
/* The command connection is (again) ready: what was known may be old, what was sent may
 * be lost. */
void bw_lane_recover(struct bw_lane *lane);
/* Something may have come: fetch. */
void bw_lane_wake(struct bw_lane *lane);

static inline void bw_count(_Atomic uint64_t *counter)
{
    /* One writer: no need for an atomic addition. */
    atomic_store_explicit(counter,
                          atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

#endif
