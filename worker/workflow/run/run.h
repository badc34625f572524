/* One job in the hands of the engine: a run. An explicit state machine in continuation
 * style; no thread waits for it.
 *
 * A run is a chain of functions (`wf_step`) that read top to bottom. Each ends by
 * starting an operation with the next function as its continuation, by calling the next
 * one, or by answering the job; after that it must not touch the run any more. One thread
 * at a time executes a run: a completion only posts it to the worker's threads. */
#ifndef WORKFLOW_RUN_H
#define WORKFLOW_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/job.h>

#include "workflow/base/ids.h"
#include "workflow/engine/engine.h"
#include "workflow/language/event.h"
#include "workflow/language/graph.h"
#include "workflow/language/pattern.h"
#include "workflow/language/wait_type.h"
#include "workflow/run/ahead.h"
#include "workflow/run/chat.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/person.h"
#include "workflow/run/personal.h"
#include "workflow/run/state.h"
#include "workflow/run/status.h"
#include "workflow/run/step.h"
#include "workflow/run/under_way.h"
#include "workflow/run/versions.h"

struct wf_frame;

enum wf_scope_name { WF_SESSION, WF_USER, WF_PROJECT, WF_GLOBAL, WF_SCOPES };

/* A row of workflow_executions, as far as the engine uses it. Texts are owned. */
struct wf_execution {
    char *id, *session_id, *workflow_id;
    int version;
    /* of the wait it was resumed from */
    enum wf_wait_type wait_type;
    char *current_node_id;
    json_t *wait_payload;
    /* executed so far, and when this job took it */
    int64_t steps, steps_before;
    /* the row is in the database */
    bool stored;
    /* it was waiting */
    bool resumed;
    /* for a row not stored yet */
    char started[64];
};

/* How far an execution has come in this job. */
struct wf_progress {
    unsigned steps;
    /* those the run is inside of (nodes/loops.h) */
    json_t *loops;
    /* node id → count (worker/workflow/spec/workflow.md §3.9.3) */
    json_t *visits;
    struct bw_mono node_started;
};

/* What this attempt of the job knows of those before it, and leaves to the next. */
struct wf_attempt {
    /* checkpoint of an attempt that died, or NULL */
    json_t *restored;
    /* number of the last checkpoint of the execution */
    int64_t seq;
    /* … or it says that the job is done */
    bool was_done;
    /* Redis was not there to be asked what an attempt before has done */
    bool unsure;
    /* checkpoints are written to the row, too */
    bool in_row;
    /* the one job of an engine that is held (trouble.h) */
    bool tried;
    /* something of it has left the worker */
    bool left;
    /* in ids of effects instead of the execution, or NULL */
    const char *effect_owner;
};

/* What a node has returned, beside the action. */
struct wf_result {
    /* the branch taken, or NULL; static, or in handle_text */
    const char *handle;
    char handle_text[32];
    /* an unlabelled edge will do */
    bool fallback;
    /* WF_GOTO; WF_WAIT for time: the node that comes after it */
    char *target;
    /* WF_WAIT */
    enum wf_wait_type wait;
    json_t *payload;
    /* WF_END with success=false */
    bool failed;
    /* WF_ERROR, or the message of WF_END */
    char *text;
    /* WF_ERROR: what the person is told of it, or NULL */
    char *notice;
    /* for the log row, and more columns of it: http_request … */
    json_t *details, *columns;
};

/* How the run ends. */
struct wf_ending {
    /* instead of answering with `result`; NULL: that */
    wf_step *conclude;
    /* before the job fails, in this order; each ends with wf_run_failing(); or NULL */
    wf_step *last_words, *before_failure;
    /* the lock of the job was lost: leaves what another attempt needs, and ends with
     * wf_run_go_back(); or NULL */
    wf_step *leave;
    enum wf_status status;
    bool result;
    /* transient: text of the job's failure */
    char *failure;
    /* > 0: not before */
    int64_t delay_ms;
};

struct wf_run {
    struct bw_task task;
    wf_step *step; /* what the task runs */
    struct wf_engine *engine;

    /* the job */
    struct bw_job *job;
    json_t *data;           /* foreign */
    const char *project_id; /* borrowed from data */
    char *job_key;          /* wf_job_key() */
    struct wf_event event;
    struct wf_pattern_budget patterns; /* of its event */
    struct wf_attempt attempt;
    struct wf_ending ending;

    /* operations, and what bounds them */
    struct wf_chat chat;
    struct wf_under_way under_way;
    struct wf_kv kv;
    /* the last group of keys was answered from memory */
    bool redis_away;
    struct wf_db db;
    struct bw_mono deadline;

    /* what it works with; shared, constant */
    struct wf_project *project;
    struct wf_graph *graph;
    struct wf_versions versions;

    /* the person */
    char *user_id; /* NULL: unknown */
    struct wf_person person;
    struct wf_personal personal;

    /* the execution, and those that called it (frames.h), or NULL */
    struct wf_execution execution;
    struct wf_frame *outer;
    struct wf_progress progress;
    struct wf_ahead ahead;

    /* what templates see, and what is to be written of it */
    json_t *telegram; /* §6.4.1 */
    json_t *roots;    /* made when templates ask for them */
    json_t *vars[WF_SCOPES];
    json_t *dirty; /* session key → {"key","value","expires_at"?} */
    struct wf_log log;

    /* the loop: how a node's continuation goes on in it, set at its start */
    void (*resume)(struct wf_run *run, enum wf_action action);
    const struct wf_node *node;
    struct wf_result out;
    bool effect;     /* the node did something outside */
    json_t *scratch; /* what it needs across its operations */
    struct wf_work work;

    struct wf_outbox outbox;
    struct wf_steps steps;
};

/* Takes the job. NULL: the engine is held, and the job went back. */
struct wf_run *wf_run_create(struct wf_engine *engine, struct bw_job *job);
/* Ends the run with a result and no further writing. */
void wf_run_answer(struct wf_run *run, bool result);
/* The same with a return value as JSON; NULL: none. */
void wf_run_complete(struct wf_run *run, const char *json);
/* The job fails with run->ending.failure, and is tried again if it has attempts left. */
void wf_run_fail(struct wf_run *run);
/* The end of run->ending.last_words and run->ending.before_failure: on to the failure. */
void wf_run_failing(struct wf_run *run);
/* The end of run->ending.leave: back to the queue without an attempt made. */
void wf_run_go_back(struct wf_run *run);
/* The job fails and is not tried again. */
void wf_run_refuse(struct wf_run *run, const char *format, ...) BW_PRINTF(2, 3);
/* Makes room for what a run gathers; run->event is there. */
void wf_run_prepare(struct wf_run *run);
/* The job fails and is tried again; the checkpoint stays. `delay_ms` > 0: not before. */
void wf_run_transient(struct wf_run *run, int64_t delay_ms, const char *format, ...)
    BW_PRINTF(3, 4);
/* Back to the queue without an attempt made. */
void wf_run_later(struct wf_run *run, int64_t delay_ms);
/* The same until a time. `unstarted`: it has started nothing, so that its start does not
 * count. */
void wf_run_put_off(struct wf_run *run, int64_t until_ms, bool unstarted);
/* Back to its place in wait, without an attempt made: the engine is held. */
void wf_run_hand_back(struct wf_run *run);
/* True, and the run is over: the job is not ours any more, or was cancelled. */
bool wf_run_lost(struct wf_run *run);
/* Which run of the job's attempts this is. */
bool wf_run_last_attempt(const struct wf_run *run);

#endif
