/* The inside of a dry run: private to dry_*.c. */
#ifndef WORKFLOW_AUTHORING_DRY_H
#define WORKFLOW_AUTHORING_DRY_H

#include <bulwark/log.h>

#include "workflow/authoring/dry/dry_run.h"
#include "workflow/authoring/names.h"
#include "workflow/engine/engine.h"

#define DRY_PROJECT  "P"
#define DRY_WORKFLOW "W" /* the id of the one that is run */

typedef void dry_call(void *arg);

struct dry_event { /* a call that is due */
    struct dry_event *next;
    dry_call *call;
    void *arg;
    int64_t due_ms;
};

struct wf_dry {
    struct wf_effects effects;
    struct bw_clock clock;
    int64_t now_ms; /* wall and monotonic */
    struct wf_engine *engine;
    struct wf_memory *redis;
    struct bw_log_sink sink;
    struct bw_log log;
    struct dry_event *events; /* in order of time */
    const json_t *workflow, *state;
    json_t *project;       /* as templates see it */
    struct wf_names names; /* what its templates may name */
    json_t *store;         /* customers and money: dry_store.h */
    char *found;           /* whom user_found has found, for the rest of its batch */
    const char *sqlstate, *refusal; /* of the batch that runs; NULL: none */
    json_t *variables;  /* scope → key → value; sessions as "session <id>" */
    json_t *executions; /* id → row */
    json_t *delays;     /* jobs to run later: {"id","data","due"} */
    json_t *trace, *item;
    int64_t message_id;
    unsigned jobs;
    bool failed;
};

/* --- dry_run.c */

void dry_later(struct wf_dry *dry, dry_call *call, void *arg, int64_t delay_ms);
/* Into the trace of the job that runs; takes `call`. */
void dry_record(struct wf_dry *dry, const char *kind, json_t *call);

/* --- dry_job.c */

struct dry_job {
    char *id, *data;
    const char *name;
    struct wf_dry *dry;
    bool answered;
};

extern const struct wf_job_effects dry_job_effects;

/* --- dry_redis.c, dry_calls.c, dry_db.c: their members of the table */

void dry_redis_effects(struct wf_effects *effects);
void dry_calls_effects(struct wf_effects *effects);
void dry_db_effects(struct wf_effects *effects);

/* --- dry_answer.c: what PostgreSQL would say. New reference: rows of cells. */
json_t *dry_answer(struct wf_dry *dry, enum wf_sql sql, const json_t *params);
/* Borrowed: as the state's `answers` name it. */
const char *dry_answer_name(enum wf_sql sql);

#endif
