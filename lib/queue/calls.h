/* One typed function a script: nobody else builds KEYS and ARGV. Each comes in two
 * halves: build the command, decode the reply. lua/README.md has the contract script by
 * script.
 *
 * The command is appended to a cleared `struct bw_cmd`; its `failed` tells of memory. */
#ifndef BW_QUEUE_CALLS_H
#define BW_QUEUE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/flow.h>
#include <bulwark/queue.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

#include "queue/add_options.h"
#include "queue/job.h"
#include "queue/keys.h"
#include "redis/conn.h"

/* --- settle: end attempts and take new jobs, both for as many as are ready
 * (lua/settle.lua). §§4.4, 4.5, 5.3, 5.6–5.8 */

enum bw_settle_kind {
    BW_SETTLE_COMPLETED,
    BW_SETTLE_FAILED,
    BW_SETTLE_RETRY,    /* immediate retry, §5.6 */
    BW_SETTLE_DELAY,    /* to delayed; counts an attempt if `counts_attempt`, §5.7 */
    BW_SETTLE_PUT_BACK, /* moveToWait, §5.8 */
    BW_SETTLE_HAND_BACK /* not for settle: bw_hand_back_build() */
};

struct bw_settle_item { /* all borrowed for the call */
    enum bw_settle_kind kind;
    struct bw_text id, token;
    struct bw_text value;  /* completed: JSON; failed: reason; else unused */
    bool has_failure;      /* write failedReason and stacktrace (failed, retry, delay) */
    struct bw_text reason; /* failedReason */
    struct bw_text stacktrace; /* JSON */
    struct bw_text telemetry;  /* its trace context, for `tm`; data NULL: none */
    bool counts_attempt;       /* delay */
    bool unstarted;    /* delay without an attempt, hand back: the start does not count */
    int64_t delay_ms;  /* delay */
    int64_t until_ms;  /* delay: wall time instead of that; 0: none */
    unsigned attempts; /* opts.attempts, for retries-exhausted */
    bool lifo;         /* retry */
    struct bw_keep keep; /* completed, failed: the job's own, else the queue's */
};

struct bw_groups {   /* ordered groups: lua/README.md */
    const char *key; /* of bw_queue_options; NULL: none */
    int64_t concurrency;
    int64_t rate_max; /* 0: none */
    int64_t rate_duration;
    bool strict;
};

struct bw_take {              /* the fetching half */
    unsigned count;           /* jobs wanted; 0: do not fetch */
    const char *token_prefix; /* token of the i-th job taken: prefix followed by
                                 first_token + i */
    uint64_t first_token;
    int64_t lock_duration;
    int64_t limiter_max; /* 0: none */
    int64_t limiter_duration;
    const char *worker_name;        /* or NULL */
    int pause_layout;               /* of bw_queue_options; counts for the ends too */
    const struct bw_groups *groups; /* the same; NULL: none */
};

/* `items` may be empty: then it is a plain fetch (moveToActive). `take` NULL: do not
 * fetch. */
void bw_settle_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                     const struct bw_settle_item *items, size_t count,
                     const struct bw_take *take, int64_t metrics_max_data_points);

/* Jobs that were fetched and are not run, in the order of the fetch: back to where they
 * were, next in line (lua/hand_back.lua). The reply has a code for each. BMQ-170 */
void bw_hand_back_build(struct bw_cmd *cmd, const struct bw_keys *keys, int pause_layout,
                        const struct bw_settle_item *items, size_t count);

struct bw_settle_reply {
    const struct bw_reply *codes; /* one an item: bw_settle_code() */
    const struct bw_reply *jobs;  /* bw_job_data_decode() takes each */
    size_t job_count;
    int64_t limit_ttl_ms; /* > 0: rate limited for so long */
    int64_t next_due_ms;  /* > 0: wall time at which the next delayed job is due */
    int64_t ghosts;      /* ids without a job that were dropped instead of taken, §4.2 */
    const char *trouble; /* what Redis refused beside the ends; NULL: nothing */
    const char *refusal; /* why Redis gave no (more) jobs; NULL: nothing is wrong */
    bool paused;         /* for all workers, §10.4 */
};
BW_MUSTCHECK int bw_settle_decode(struct bw_settle_reply *out,
                                  const struct bw_reply *reply, size_t item_count,
                                  struct bw_error *err);
/* What a script's number means, here and in the integer replies below: BW_OK for ≥ 0,
 * BW_EJOB_* for a code of lib/spec/bullmq.md §0, BW_EPROTO for any other. */
int bw_script_code(int64_t number);
/* The same for one of many. BW_EREDIS: Redis refused this one alone, for the reason in
 * `*whyp` (else NULL; may be NULL), and did nothing of it (BMQ-171). */
int bw_item_code(const struct bw_reply *code, const char **whyp);
int bw_settle_code(const struct bw_settle_reply *reply, size_t index, const char **whyp);

/* --- locks: extend many at once (lua/extend_locks.lua). The reply lists the ids that
 * failed. §6.1 */
void bw_extend_locks_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                           int64_t lock_duration, const struct bw_text *ids,
                           const struct bw_text *tokens, size_t count);

/* --- stalled check (lua/check_stalled.lua): the reply lists the ids recovered. §6.3 */
void bw_check_stalled_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                            struct bw_wall now, int64_t stalled_interval,
                            int64_t max_stalled_count, int pause_layout);

/* --- groups (lua/check_groups.lua): jobs that may have left active without a settle
 * call, and at most once an interval all the books. Without a key whoever stands in a
 * line goes back to wait. Integer reply: one of these. */
enum { BW_GROUPS_DONE, BW_GROUPS_AT_ONCE, BW_GROUPS_LATER };
void bw_check_groups_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                           struct bw_wall now, int64_t interval, int pause_layout,
                           const struct bw_groups *groups, const struct bw_text *ended,
                           size_t count);

/* --- adoption (lua/adopt.lua): jobs in `active` whose lock token begins with
 * `token_prefix` and that are not among `known`: taken by a call whose reply was lost.
 * The reply is a list in the form of bw_settle_reply.jobs; their locks are set anew for
 * lock_duration. */
void bw_adopt_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                    const char *token_prefix, int64_t lock_duration,
                    const struct bw_text *known, size_t count);

/* --- rate limiting by hand: SET limiter, §10.3 */
void bw_rate_limit_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                         int64_t duration_ms);

/* --- a marker popped for a queue that cannot take, "0" or "1": put back for others where
 * there is something to be taken. */
void bw_marker_return_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                            struct bw_text member);

/* --- a job's side effects, §7.1. Integer reply: ≥ 0, or a negative script code. */
void bw_update_progress_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                              struct bw_text id, struct bw_text json);
void bw_add_log_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id,
                      struct bw_text row, int64_t keep);
void bw_update_data_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                          struct bw_text id, struct bw_text json);
/* A running job waits for its children, or the one with key `child` (data NULL: for all).
 * Integer reply: 0 it does, 1 nothing to wait for, or a code. `unsure`: an earlier call
 * may have done it; then BW_EJOB_NO_LOCK and BW_EJOB_LOCKED come before the rest. §8.2 */
void bw_move_to_waiting_children_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                                       struct bw_wall now, struct bw_text id,
                                       struct bw_text token, struct bw_text child,
                                       bool unsure);
/* A job's children (lua/dependencies.lua): four numbers, or all of them. §7.1 */
void bw_dependencies_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                           struct bw_text id, bool all);
/* A job and its children, level by level (lua/get_flow.lua). */
void bw_get_flow_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                       const struct bw_flow_query *query);
/* In which state a job is: a text. §7.1 */
void bw_job_state_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                        struct bw_text id);
/* A ghost (an id in active without a hash): forget it. §4.2 */
void bw_drop_ghost_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                         struct bw_text id);

/* --- the producer and the administrator. add replies with the id's text or a negative
 * script code; resume with the number of ids still to be merged: while that is not 0 it
 * is to be called again, without telling of it. §§3, 7.3 */
void bw_add_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                  const struct bw_add *add, const struct bw_add_options *options);
/* Jobs of one queue in one call (lua/add_many.lua): begun, then one by one. Replies with
 * a list of what add replies. §3.4 */
void bw_add_many_begin(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                       const struct bw_add *first);
void bw_add_many_append(struct bw_cmd *cmd, const struct bw_add *add,
                        const struct bw_add_options *options);
/* A tree of jobs, level by level, the root first (lua/add_flow.lua): replies as add does
 * for the root. §8.1 */
struct bw_flow_item {
    struct bw_keys keys; /* owned, as `options` */
    const struct bw_add *add;
    struct bw_add_options options;
};
void bw_add_flow_build(struct bw_cmd *cmd, struct bw_wall now,
                       const struct bw_flow_item *items, size_t count);
void bw_pause_build(struct bw_cmd *cmd, const struct bw_keys *keys);
void bw_resume_build(struct bw_cmd *cmd, const struct bw_keys *keys, bool tell);

#endif
