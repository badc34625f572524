/* Kinds of handlers: what runs a queue's jobs, as a table of operations.
 *
 * A kind is one constant `struct wk_handler_type`, listed in registry.c. An instance
 * serves one queue of one worker: created before the worker starts, stopped after it has
 * ended, destroyed after the worker is destroyed. */
#ifndef WORKER_HANDLERS_HANDLER_H
#define WORKER_HANDLERS_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/error.h>
#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

struct pg_pool;
struct tg_client;
struct wk_metrics;
struct wk_schema;

/* What an instance may use. All borrowed and alive until its `destroy` has returned,
 * except `pg` and `telegram`, which end after its `stop` has returned true. */
struct wk_handler_env {
    struct bw_worker *worker;   /* for bw_worker_post(), bw_worker_post_after() */
    struct pg_pool *pg;         /* NULL unless the type needs it */
    struct tg_client *telegram; /* NULL unless the type needs it */
    struct bw_redis *cache;     /* NULL unless the type needs it */
    const struct bw_redis_options *redis; /* where the queue is */
    const char *prefix;                   /* of the queue's keys, e.g. "bull" */
    const char *queue;                    /* its name */
    const struct bw_queue_options
        *options;                 /* concurrency, lock_duration … of the queue */
    const json_t *workflow;       /* the configuration's "workflow" object, or NULL */
    const char *telegram_api_url; /* of the configuration; NULL: Telegram's own */
    const struct bw_log *log;     /* names the queue */
    const struct bw_clock *clock; /* NULL: the system's */
    /* `is_hopeless` of the type has become true; from any thread, after `start`; must not
     * block. NULL: nobody wants to know. */
    void (*hopeless)(void *arg);
    void *hopeless_arg;
};

enum wk_prospect { WK_PROSPECT_OPEN, WK_PROSPECT_READY, WK_PROSPECT_HOPELESS };

struct wk_handler_type {
    const char *name; /* as the configuration spells it: "handler": NAME or {NAME: …} */
    /* When not NULL the kind is known but refused, with this text. */
    const char *refusal;
    /* Optional: the keys of its handler object, for help texts. */
    const struct wk_schema *settings;
    bool needs_pg;
    bool needs_telegram;
    bool needs_cache;

    /* Optional: is this what the kind takes? Called while the configuration is read.
     * `settings` is the whole handler object ({NAME: …}), or NULL for the plain name.
     * BW_EINVAL; the text begins with the path inside of it (".noop.delayMs: …"). */
    int (*check)(const json_t *settings, struct bw_error *err);

    /* Optional: would `create` find what it needs on this machine (files, programs)? For
     * `bulwark check`; may block. BW_EINVAL: no. */
    int (*probe)(const json_t *settings, struct bw_error *err);

    /* Optional: does the database behind the URL have what the kind needs? For `bulwark
     * check`; blocks. `found` is called for each thing that is missing. Not BW_OK: it
     * could not be asked. */
    int (*probe_pg)(const char *url, const struct bw_log *log,
                    void (*found)(const char *text, void *arg), void *arg,
                    struct bw_error *err);

    /* New instance, ended by `destroy`. Must not wait for anything: dependencies may be
     * away. */
    int (*create)(const struct wk_handler_env *env, const json_t *settings,
                  void **instance, struct bw_error *err);

    /* Optional: the worker has started, so tasks can be posted. From the main thread;
     * must not wait for anything. */
    void (*start)(void *instance);

    /* The operations on jobs; their `arg` is the instance. */
    struct bw_handler handler;

    /* Optional: the worker drains, its jobs in flight have until `timeout_ms` from now. A
     * second call, with 0, ends the wait at once. From the signal thread; must not block.
     */
    void (*drain)(void *instance, int64_t timeout_ms);
    /* Optional. The worker has ended: no job comes any more, and jobs it held were
     * answered or given up. Cancels what still runs and blocks until no batch, call or
     * task of this instance is left, at most `timeout_ms`. False: something is left, so
     * nothing it uses may be freed; the program then exits without tearing down. */
    bool (*stop)(void *instance, int64_t timeout_ms);

    void (*destroy)(void *instance);

    /* Optional: adds the instance's own figures to /metrics and /status. From the HTTP
     * thread, any time between create and stop; must not block. */
    void (*stats)(void *instance, struct wk_metrics *metrics);

    /* Optional: for `bulwark check`, after `start`: will it take jobs? Any thread; must
     * not block. */
    enum wk_prospect (*prospect)(void *instance);

    /* Optional: why the instance takes no jobs at present; false: it does. As `stats`. */
    bool (*why_held)(void *instance, char *text, size_t size);

    /* Optional: it never could take a job, and has tried often enough. Any thread. A
     * worker whose instances are all so ends. */
    bool (*is_hopeless)(void *instance);
};

/* Borrowed, constant; NULL when there is no such kind. */
const struct wk_handler_type *wk_handler_find(const char *name);
/* The kinds by number, for help texts and for the nearest name; NULL past the end. */
const struct wk_handler_type *wk_handler_at(size_t index);

/* --- figures. `name` without "bulwark_" and without "_total", e.g.
 * "workflow_cache_hits"; the queue is added as a label; one more label may be given
 * (NULL: none). Texts are copied; memory running out drops the row. */
void wk_metrics_counter(struct wk_metrics *metrics, const char *name, const char *help,
                        const char *label, const char *label_value, uint64_t value);
void wk_metrics_gauge(struct wk_metrics *metrics, const char *name, const char *help,
                      const char *label, const char *label_value, double value);

#endif
