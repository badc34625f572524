/* Everything the engine does to the world, as a table of operations, so that it includes
 * no client of PostgreSQL, Redis or Telegram, and a test can stand in for all of them.
 * adapter.c has the real ones.
 *
 * Each completion is called exactly once, on a foreign thread, and must not block. Any
 * thread may call the operations. */
#ifndef WORKFLOW_EFFECTS_H
#define WORKFLOW_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/job.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

#include "web/client.h"
#include "workflow/store/store.h"
#include "workflow/language/text.h"

/* --- database: statements of store.h, gathered into one batch: one transaction, one
 * round trip */

struct wf_batch; /* the adapter's */

enum wf_db_outcome {
    WF_DB_OK,
    WF_DB_REFUSED,   /* a statement failed: `sqlstate` and `message` say why; nothing was
                        done */
    WF_DB_TRANSIENT, /* may succeed later */
    WF_DB_LATE       /* no answer in time: it may have been done */
};

typedef void wf_db_done(struct wf_batch *batch, void *arg);

/* --- Redis: one command, its reply flattened (arrays are not used) */

struct wf_reply {
    bool ok;   /* false: not reachable, timed out, refused */
    bool away; /* not ok, and because Redis cannot be reached: use the memory instead */
    bool nil;
    const char *text; /* borrowed for the call */
    size_t len;
    int64_t number;
};

typedef void wf_redis_done(const struct wf_reply *reply, void *arg);

/* --- Telegram: one method with its retries (worker/workflow/spec/workflow.md §9.6) */

enum wf_send_outcome {
    WF_SEND_OK,
    WF_SEND_REFUSED,  /* 4xx: permanent */
    WF_SEND_TRANSIENT /* 429 with a long pause, 5xx, network */
};

struct wf_sent {
    enum wf_send_outcome outcome;
    bool blocked;            /* the person blocked the bot or is gone (§9.6) */
    int status;              /* HTTP status, or 0 */
    const char *description; /* borrowed for the call */
    int64_t retry_after_ms;  /* 0: none */
    int64_t message_id;      /* 0: none in the answer */
    const json_t *result;    /* borrowed for the call; NULL unless WF_SEND_OK */
    bool not_modified;       /* an edit that changes nothing */
    bool unknown;            /* transient, and it may have been sent all the same */
    bool unclear;            /* ok, but by an answer that is not the Bot API's */
    int64_t moved_to;        /* the chat's new id, where it went; 0: it has not moved */
    const json_t *params;    /* borrowed for the call: what was sent; NULL: not known */
    bool message_gone;       /* the message to delete is not there */
};

typedef void wf_telegram_done(const struct wf_sent *sent, void *arg);

/* --- the queue. `error` is borrowed for the call; NULL when `ok`. */

typedef void wf_added(bool ok, const char *error, void *arg);

struct wf_new_job { /* borrowed for the call */
    const char *data, *opts;
};

/* `ids` as many as jobs, NULL for those that were not added; itself NULL: none was.
 * `error` is why, or NULL. Both are borrowed for the call. */
typedef void wf_jobs_added(const char *const *ids, const char *error, void *arg);

/* --- what can be given up while it is under way: `cancel` takes what began it and what
 * that returned, until its completion returns. The completion still comes, soon. */

enum wf_call_kind { WF_CALL_NONE, WF_CALL_DB, WF_CALL_TELEGRAM, WF_CALL_HTTP };

typedef uint64_t wf_call; /* the adapter's; 0: cannot be given up */

/* --- the job of a run, as bulwark/job.h has it: any thread, answered once */

struct wf_job_effects {
    const char *(*id)(const struct bw_job *job);
    const char *(*prefix)(const struct bw_job *job);
    const char *(*name)(const struct bw_job *job);
    const char *(*data)(const struct bw_job *job, size_t *len);
    int64_t (*timestamp)(const struct bw_job *job);
    unsigned (*attempts)(const struct bw_job *job);
    unsigned (*attempts_made)(const struct bw_job *job);
    unsigned (*attempts_started)(const struct bw_job *job);
    const struct bw_log *(*log)(const struct bw_job *job);
    bool (*lock_held)(const struct bw_job *job);
    bool (*cancelled)(const struct bw_job *job);
    bool (*revoked)(const struct bw_job *job);
    void (*complete)(struct bw_job *job, const char *json, size_t len);
    void (*fail)(struct bw_job *job, const struct bw_job_failure *failure);
    void (*move_to_delayed)(struct bw_job *job, int64_t delay_ms);
    /* To delayed until a time without an attempt; `unstarted`: the start does not count.
     */
    void (*put_off)(struct bw_job *job, int64_t until_ms, bool unstarted);
    /* As if it had not been fetched. */
    void (*hand_back)(struct bw_job *job, bool unstarted);
};

struct wf_effects {
    const struct wf_job_effects *job;

    struct wf_batch *(*batch_create)(void *arg);
    /* Returns the statement's index. The parameters are copied; NULL is SQL NULL. */
    size_t (*batch_add)(struct wf_batch *batch, enum wf_sql sql,
                        const char *const *params, size_t count);
    /* The batch is the caller's again when `done` is called. */
    wf_call (*batch_submit)(void *arg, struct wf_batch *batch, int64_t timeout_ms,
                            wf_db_done *done, void *done_arg);
    enum wf_db_outcome (*batch_outcome)(const struct wf_batch *batch);
    const char *(*batch_sqlstate)(const struct wf_batch *batch);
    const char *(*batch_message)(const struct wf_batch *batch);
    /* Which statement was refused; WF_SQL_COUNT: nobody knows. */
    enum wf_sql (*batch_refused)(const struct wf_batch *batch);
    /* Not all connections are busy, and the last that was tried could be made. */
    bool (*db_reachable)(void *arg);
    /* Adds what the statement would do, without doing it: refused for the same reasons,
     * but for a server that only reads. */
    void (*batch_add_plan)(struct wf_batch *batch, enum wf_sql sql);
    size_t (*batch_rows)(const struct wf_batch *batch, size_t index);
    const char *(*batch_value)(const struct wf_batch *batch, size_t index, size_t row,
                               size_t column);
    void (*batch_destroy)(struct wf_batch **batchp);

    /* False: nothing was sent and `done` is never called. */
    bool (*redis)(void *arg, const struct bw_redis_arg *args, size_t count,
                  wf_redis_done *done, void *done_arg);

    /* Takes `params`. `done` NULL: the answer does not matter. `once`: not tried again
     * where it may have been carried out. */
    wf_call (*telegram)(void *arg, const char *token, const char *method, json_t *params,
                        bool once, wf_telegram_done *done, void *done_arg);

    /* Wall clock, ms, since which the connections of the queue and of the caches stand:
     * what is older may have been done before, and forgotten by a Redis that came back
     * older. */
    int64_t (*redis_since)(void *arg);

    /* Copies the request. */
    wf_call (*http)(void *arg, const struct web_request *request, web_done *done,
                    void *done_arg);

    void (*cancel)(void *arg, enum wf_call_kind kind, wf_call call);

    /* Adds a job beside `job`: same Redis, same prefix. `done` is called exactly once. */
    void (*add_job)(void *arg, struct bw_job *job, const char *queue, const char *name,
                    const char *data, const char *opts, wf_added *done, void *done_arg);

    /* Adds jobs where the engine's queue is; `done` is called exactly once, perhaps from
     * inside of this call. */
    void (*add_jobs)(void *arg, const char *queue, const char *name,
                     const struct wf_new_job *jobs, size_t count, wf_jobs_added *done,
                     void *done_arg);

    /* No job is taken of the queue, but for the next `let` of them. */
    void (*hold)(void *arg, const char *queue, bool held, unsigned let);

    void (*post)(void *arg, struct bw_task *task); /* runs the task on a worker thread */
    void (*post_after)(void *arg, struct bw_task *task, int64_t delay_ms);
    /* Runs a task of post_after() at once, if it still waits for its time. */
    void (*hurry)(void *arg, struct bw_task *task);
    /* A placeholder stood for nothing (template.h); NULL: nobody wants to know. */
    void (*missing)(void *arg, struct wf_text path, bool alone);
    const struct bw_clock *clock; /* NULL: the system's */
    void *arg;
};

#endif
