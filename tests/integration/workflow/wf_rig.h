/* The workflow handler in this process, on a real PostgreSQL, a real Redis and the Bot
 * API stand-in.
 *
 * Servers are started once (wf_rig_open), the worker as often as a test wants (wf_rig_up,
 * wf_rig_down). One thread; functions that cannot do their work fail the test. */
#ifndef TESTS_WORKFLOW_RIG_H
#define TESTS_WORKFLOW_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/bulwark.h>

#include "handlers/handler.h"
#include "support/bot_api.h"
#include "support/pg_server.h"
#include "support/redis_server.h"

#define WF_RIG_QUEUE "workflow-processing"

struct wf_rig {
    struct pg_server pg;
    struct redis_server redis; /* the queue's */
    struct redis_server keys;  /* the engine's caches, locks, checkpoints */
    struct bot_api bot;
    struct bw_redis_options redis_options, keys_options;

    struct bw_worker *worker;
    struct bw_redis *cache, *adder;
    struct pg_pool *pool;
    struct tg_client *telegram;
    void *handler;
    struct bw_queue_options queue;
    json_t *config;               /* the "workflow" object, or NULL; the rig's */
    const struct bw_clock *clock; /* the engine's; NULL: the system's */
    bool held;                    /* no job is taken */
    struct bw_log log;
    const struct bw_log_sink *sink; /* where the worker writes; NULL: nowhere */
};

void wf_rig_open(struct wf_rig *rig);
void wf_rig_close(struct wf_rig *rig);

/* Another worker on the same servers, as a second replica would be. */
void wf_rig_twin(const struct wf_rig *rig, struct wf_rig *twin, json_t *config);
void wf_rig_twin_down(struct wf_rig *twin);

/* Empties the database, Redis and the stand-in. The worker must be down. */
void wf_rig_clean(struct wf_rig *rig);
/* `config` is taken; NULL: defaults. */
void wf_rig_up(struct wf_rig *rig, json_t *config);
void wf_rig_down(struct wf_rig *rig);
/* Up without the handler: only adds and looks; somebody else runs the jobs. */
void wf_rig_up_idle(struct wf_rig *rig);

/* Adds a job over Redis itself, as Node would; `opts` may be NULL. New: its id. */
char *wf_rig_add(struct wf_rig *rig, const char *name, const json_t *data,
                 const char *opts);
/* The same with the data's very text. */
char *wf_rig_add_text(struct wf_rig *rig, const char *name, const char *text,
                      const char *opts);
/* Waits until the job is completed or failed for good, at most `timeout_ms`. New: its
 * return value, or "failed: <reason>". */
char *wf_rig_wait(struct wf_rig *rig, const char *id, int64_t timeout_ms);
/* The job's data for an update. New reference. */
json_t *wf_rig_data(const json_t *update);
/* add and wait. `update` is the raw update; data is {projectId:"P", executionId,
 * context:{update}}. */
char *wf_rig_update(struct wf_rig *rig, const json_t *update);

void wf_rig_sql(struct wf_rig *rig, const char *sql);
/* New: the first column of the rows, joined by newlines. */
char *wf_rig_text(struct wf_rig *rig, const char *sql);

/* The project P of the examples with its bot and one workflow; `workflow` as in the
 * contract's examples (worker/workflow/spec/workflow.md §14). The version is old enough
 * to be cached. */
void wf_rig_workflow(struct wf_rig *rig, const char *id, const json_t *workflow);

/* The handler's figure (handler.h, `stats`), all labels added up. */
uint64_t wf_rig_figure(struct wf_rig *rig, const char *name);

#endif
