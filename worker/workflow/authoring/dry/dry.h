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

#endif
