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

#include "workflow/engine/engine.h"
#include "workflow/language/event.h"
#include "workflow/language/graph.h"
#include "workflow/base/ids.h"
#include "workflow/language/pattern.h"
#include "workflow/language/template.h"

struct wf_frame;
struct wf_run;
typedef void wf_step(struct wf_run *run);

/* What a node asks for when it is done; details are in the run's `out`. */
enum wf_action {
    WF_PENDING, /* an operation was started; its continuation ends with wf_loop_resume()
                 */
    WF_NEXT,
    WF_GOTO,
    WF_WAIT,
    WF_END,
    WF_ERROR
};

enum wf_scope_name { WF_SESSION, WF_USER, WF_PROJECT, WF_GLOBAL, WF_SCOPES };

/* A row of workflow_executions, as far as the engine uses it. Texts are owned. */
struct wf_execution {
    char *id, *session_id, *workflow_id;
    int version;
    char *wait_type, *current_node_id; /* of the wait it was resumed from */
    json_t *wait_payload;
    int64_t steps;        /* executed so far */
    int64_t steps_before; /* when this job took it */
    bool stored;          /* the row is in the database */
    bool resumed;         /* it was waiting */
    char started[64];     /* for a row not stored yet */
};

struct wf_run {
    struct bw_task task;
    wf_step *step; /* what the task runs */
    struct wf_engine *engine;
    struct bw_job *job;
    json_t *data;           /* the job's; foreign */
    const char *project_id; /* borrowed from data */
    char *job_key;          /* wf_job_key() */
    struct wf_event event;
    struct wf_pattern_budget patterns; /* of its event */

    /* turn and lock of the chat */
    struct wf_turn turn;
    char *chat_key;
    bool has_turn;
    struct wf_lock chat_lock;
    bool has_lock;
    struct bw_mono lock_until;

    /* whom a cancellation reaches, and what it gives up (under_way.h) */
    struct {
        struct wf_run *next, **prevp; /* guarded by the engine's runs_mutex */
        struct bw_mutex mutex;        /* guards the rest */
        enum wf_call_kind kind;
        wf_call call; /* 0: none */
        bool pausing, told;
    } way;

    /* operations under way */
    struct wf_kv kv;
    struct wf_batch *batch;
    wf_step *db_then, *on_refused;
    unsigned db_tries, trips;

    /* a message under way */
    bool intended;    /* the checkpoint says that it is about to go out */
    unsigned unknown; /* the message of this node that an attempt before may have sent */
    wf_step *granted, *no_turn; /* NULL: the job is put off */
    char *sent_chat;            /* where the last one went */
    struct bw_mono send_until;
    char send_token[33]; /* its place in the limits */
    const char *method;  /* static */
    json_t *params;
    struct {
        enum wf_send_outcome outcome;
        bool blocked, not_modified, message_gone, unknown, unclear;
        int status;
        int64_t retry_after_ms, message_id;
        char *description;
        json_t *result; /* of wf_ask() */
    } reply;

    /* a token that may be wrong (token.h) */
    bool token_tried; /* the call was made again with the database's token */
    enum wf_send_outcome token_answer; /* of getMe */
    json_t *token_hold; /* the project's hold when the job arrived, or NULL */
    wf_step *token_admitted, *token_then, *token_again, *token_refused, *token_instead;
    unsigned token_doubts; /* how often a call was refused though getMe was answered */
    int64_t refused_at;    /* wall clock: the job's first refusal; 0: none */

    int64_t hold_until; /* wall clock, ms: until when the job is put off; 0: it is not */
    json_t *moves;      /* chat → its new id, as Telegram said in this run; or NULL */

    /* the answer to a request of a node (nodes/fetch.h) */
    struct {
        enum web_outcome outcome;
        int status;
        char *body; /* NUL-terminated */
        size_t len;
        char *error;
    } fetched;

    /* what it works with; shared, constant */
    struct wf_project *project;
    struct wf_graph *graph;
    char *marker;     /* digest of Node's version key, or NULL */
    bool redis_away;  /* the last group of keys was answered from memory */
    char *pointer;    /* session id by the pointer key, or NULL */
    json_t *restored; /* checkpoint of an attempt that died, or NULL */
    int64_t seq;      /* number of the last checkpoint of the execution */
    bool was_done;    /* … or it says that the job is done */
    bool unsure; /* Redis was not there to be asked what an attempt before has done */
    bool in_row; /* checkpoints are written to the row, too */
    bool tried;  /* the one job of an engine that is held (trouble.h) */
    bool writes; /* the batch that is begun does */
    bool left;   /* something of this attempt has left the worker */
    bool bare;   /* the look-up asks for nothing that it can do without */
    unsigned restore_depth; /* sub-workflows it was inside of */

    /* the person */
    char *user_id;         /* NULL: unknown */
    json_t *customer;      /* flat variables `user.*` (§6.5), or NULL */
    bool customer_known;   /* `customer` is right: a NULL means that there is none */
    bool customer_changed; /* by this run, and not read since */
    bool acted; /* since it was resumed: what must not be done again by a next answer */
    bool went_private; /* the run goes on in the person's private chat (personal.h) */
    json_t *personal;  /* names of variables that tell of a customer, or NULL */
    bool code_asked;   /* for a referral code that he did not have */
    unsigned code_tries;
    wf_step *after_code;
    json_t *customer_object; /* the same as `user` (§6.3), made when it is asked for */
    json_t *telegram;        /* §6.4.1 */
    json_t *roots;           /* other values templates ask for, made when they do */

    struct wf_execution x;
    struct wf_frame *outer; /* the executions that called this one, or NULL (frames.h) */
    bool lookup_again;      /* a claim was lost once */
    size_t own_row; /* of the look-up: begun by an attempt before; SIZE_MAX: none */
    size_t waiting_at,
        variables_at;  /* places in the group of keys before the lookup; 0: none */
    char *preloaded;   /* session whose variables are there or asked for; "": none */
    bool person_asked; /* the batch asks for the customer */
    size_t ahead_at;   /* place in the batch of what is read ahead; 0: nothing is */
    json_t *ahead;     /* its result: JSON, or NULL for none */
    char *ahead_key;   /* what was asked; NULL: nothing */
    const struct wf_node *ahead_node; /* for whom */
    json_t *idle;                     /* nothing was open in the chat (warm.c), or NULL */
    size_t warm_at;   /* first of the keys that may speak against it; 0: not asked */
    bool warm;        /* a new execution that began without a look-up */
    bool only_one;    /* the flush saw nothing else open in the chat */
    size_t flush_at;  /* place of the flush in the batch */
    size_t person_at; /* of the customer read behind it; 0: not read */

    json_t *vars[WF_SCOPES];
    json_t *dirty; /* session key → {"key","value","expires_at"?} */
    json_t *logs;  /* rows of the flush */
    int64_t last_log_ms;

    /* the loop */
    const struct wf_node *node;
    unsigned steps_this_run;
    json_t *loops;  /* those the run is inside of (nodes/loops.h) */
    json_t *visits; /* node id → count in this job (§3.9.3) */
    struct bw_mono deadline;
    struct bw_mono node_started;
    unsigned sent;    /* messages of this node that are out */
    unsigned sending; /* the one under way, from 1 */
    unsigned retries; /* of this node, by settings.errorHandling */
    bool effect;      /* the node did something outside */

    struct {
        const char *handle; /* the branch taken, or NULL; static, or in handle_text */
        char handle_text[32];
        bool fallback;    /* an unlabelled edge will do */
        char *target;     /* WF_GOTO; WF_WAIT for time: the node that comes after it */
        const char *wait; /* static: wait type */
        json_t *payload;  /* WF_WAIT */
        bool failed;      /* WF_END with success=false */
        char *text;       /* WF_ERROR, or the message of WF_END */
        char *notice;     /* WF_ERROR: what the person is told of it, or NULL */
        json_t *details;  /* for the log row */
        json_t *columns;  /* more columns of it: http_request … */
    } out;

    /* what a node needs across its operations; freed with clear_node() */
    struct wf_lock node_lock;
    struct bw_mono node_lock_until;
    size_t last_index; /* of the batch */
    json_t *scratch;
    wf_step *then, *after_send, *after_checkpoint;
    size_t checkpoint_at; /* its place in the group of keys */
    char *checkpoint;     /* the last one, as text; NULL: none */

    /* how it ends */
    wf_step *conclude;        /* instead of answering with `result`; NULL: that */
    wf_step *before_failure;  /* before the job fails; ends with wf_run_fail(); or NULL */
    const char *effect_owner; /* in ids of effects instead of the execution, or NULL */
    const char *status;       /* static */
    bool flushed_before;      /* the flush found no row once */
    bool flush_again;         /* the flush was refused: only the state is written now */
    bool result;
    char *failure;            /* transient: text of the job's failure */
    int64_t failure_delay_ms; /* > 0: not before */
};

/* --- run.c: begin and end */

/* Takes the job. */
void wf_run_start(struct wf_engine *engine, struct bw_job *job);
/* Ends the run with a result and no further writing. */
void wf_run_answer(struct wf_run *run, bool result);
/* The same with a return value as JSON; NULL: none. */
void wf_run_complete(struct wf_run *run, const char *json);
/* The job fails with run->failure, and is tried again if it has attempts left. */
void wf_run_fail(struct wf_run *run);
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
/* The same for one in the middle of a node, until run->hold_until: it goes on there. */
void wf_run_hold(struct wf_run *run);
/* Back to its place in wait, without an attempt made: the engine is held. */
void wf_run_hand_back(struct wf_run *run);
/* True, and the run is over: the job is not ours any more, or was cancelled. */
bool wf_run_lost(struct wf_run *run);
/* Which run of the job's attempts this is. */
bool wf_run_last_attempt(const struct wf_run *run);

/* --- io.c: operations */

void wf_run_post(struct wf_run *run, wf_step *step);
void wf_run_after(struct wf_run *run, int64_t delay_ms, wf_step *step);
/* Sends run->kv; the results stay there until the next group is begun. */
void wf_run_kv(struct wf_run *run, wf_step *step);
struct wf_kv *wf_run_keys(struct wf_run *run); /* begins a group */

/* Begins a batch; adds statements; sends it. A transient failure ends the run by itself,
 * after three tries where that is safe. `refused`: what to do when a statement is
 * refused; NULL: a node error inside of the loop, else the run ends with `false`. */
void wf_db_begin(struct wf_run *run);
size_t wf_db_add_list(struct wf_run *run, enum wf_sql sql, const char *const *params,
                      size_t count);
#define wf_db_add(run, sql, ...)                                                         \
    wf_db_add_list((run), (sql), (const char *const[]){ __VA_ARGS__ },                   \
                   sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
void wf_db_run(struct wf_run *run, wf_step *step, wf_step *refused);
/* What happens without a `refused` of one's own. */
void wf_db_refused(struct wf_run *run);
/* What was refused is a statement that every message needs. */
bool wf_db_is_vital(const struct wf_run *run);
size_t wf_db_rows(const struct wf_run *run, size_t index);
/* Borrowed until the next batch; NULL for SQL NULL and for rows that are not there. */
const char *wf_db_value(const struct wf_run *run, size_t index, size_t row,
                        size_t column);
bool wf_db_true(const struct wf_run *run, size_t index, size_t row, size_t column);
int64_t wf_db_number(const struct wf_run *run, size_t index, size_t row, size_t column);
const char *wf_db_sqlstate(const struct wf_run *run);
/* The id as PostgreSQL's bigint takes it, or NULL. */
const char *wf_db_bigint(const char *text);

/* --- arrive.c (§3.1 steps 1–7), lookup.c (8, 9), resume_run.c and begin.c (10), loop.c
 * (11), finish.c */

void wf_arrive(struct wf_run *run);
/* Keys whose values help the lookup, into the group that is begun. */
void wf_lookup_keys(struct wf_run *run);
void wf_lookup(struct wf_run *run);
/* ahead.c: into the batch that looks the event up (`waits_at`: the node of the wait it
 * claims, or NULL); out of it; for the node, true: the answer is there (NULL: no row, or
 * null; new reference); when the run begins with that node; and whenever it may have
 * become wrong. */
void wf_ahead_add(struct wf_run *run, const char *waits_at);
void wf_ahead_keep(struct wf_run *run);
bool wf_ahead_take_list(struct wf_run *run, json_t **value, enum wf_sql sql,
                        const char *const *params, size_t count);
#define wf_ahead_take(run, value, sql, ...)                                              \
    wf_ahead_take_list((run), (value), (sql), (const char *const[]){ __VA_ARGS__ },      \
                       sizeof((const char *const[]){ __VA_ARGS__ }) /                    \
                           sizeof(const char *))
void wf_ahead_start(struct wf_run *run, const struct wf_node *node);
void wf_ahead_drop(struct wf_run *run);
/* warm.c: key that says that nothing is open in the chat (new text); into the group of
 * keys before the look-up; whether a new execution can do without one; the session it
 * goes on with (borrowed; NULL: a new one); into the group of keys behind the flush. */
char *wf_warm_key(const struct wf_run *run);
void wf_warm_keys(struct wf_run *run);
bool wf_warm_ready(struct wf_run *run);
const char *wf_warm_session(const struct wf_run *run);
void wf_warm_leave(struct wf_run *run);
/* With run->x and the claimed wait: what the event means for it, and on. */
void wf_resume(struct wf_run *run);
/* A new execution. `id`: the row to use, or NULL; `adopt`: it is there already. `reuse`:
 * session to go on with, or NULL. */
void wf_begin(struct wf_run *run, const char *id, bool adopt, const char *reuse);
/* After variables and customer are there: runs from `node`. */
void wf_loop_start(struct wf_run *run, const struct wf_node *node);
/* The same under the deadline there is. */
void wf_loop_enter(struct wf_run *run, const struct wf_node *node);
/* A node that was left for a sub-workflow is the current one again. */
void wf_loop_return(struct wf_run *run);
/* From a node's continuation: the node is done. */
void wf_loop_resume(struct wf_run *run, enum wf_action action);
/* Flushes with run->status, run->out.text as the error if it failed, and the wait in
 * run->out; ends the run with run->result. */
void wf_finish(struct wf_run *run);
/* Goes on where run->restored stopped, or where its row is, if that is further; a run
 * whose execution was ended since begins anew with `anew`. */
void wf_restore(struct wf_run *run, wf_step *anew);
/* Writes the checkpoint, then goes on with `then`. `next`: the node an attempt after this
 * one begins with. `inside`: it is the current one, not done yet; run->sent of its
 * messages are out. */
void wf_checkpoint(struct wf_run *run, const char *next, bool inside, wf_step *then);
/* The last one goes to the row as well, for Redis may have lost it; then `then`, whatever
 * became of that. False: there is none, or the row has it. */
bool wf_checkpoint_leave(struct wf_run *run, wf_step *then);
/* What an attempt before left, if anything, outlives a delay of the job. */
void wf_checkpoint_renew(struct wf_run *run, int64_t until_ms);
/* Into the group of keys that is begun: the checkpoint with the message under way marked
 * as intended. After the group was answered: makes sure it is kept, then goes on. */
void wf_intent_add(struct wf_run *run);
void wf_intent_keep(struct wf_run *run, wf_step *then);
/* New text. */
char *wf_checkpoint_key(const struct wf_run *run);
/* The queue has recorded the job's final end: its checkpoint is not needed any more. */
void wf_checkpoint_end(struct wf_engine *engine, const struct bw_job *job);
/* It has recorded a failure, and the next attempt comes so much later. */
void wf_checkpoint_outlive(struct wf_engine *engine, const struct bw_job *job,
                           int64_t delay_ms);
/* New text: the value of a finished checkpoint. */
char *wf_checkpoint_done(const struct wf_run *run);
/* As wf_restore(), from the further of run->restored and what stands in the payload of
 * the row, which is known to be this job's. */
void wf_restore_row(struct wf_run *run, const json_t *payload);
/* A checkpoint that was read from Redis, into run->restored if it is this job's. True:
 * the job is done, with `result`. */
bool wf_checkpoint_take(struct wf_run *run, const char *text, bool *result);
/* Fills the flush statement into the batch that is begun. */
struct wf_flush {
    const char *status, *error, *node, *wait_type; /* all but the status may be NULL */
    const json_t *payload;                         /* or NULL */
    bool supersede; /* other waits of the session are cancelled */
    bool over;      /* the job ends with run->result */
};
void wf_flush_add(struct wf_run *run, const struct wf_flush *flush);
/* The row of an execution of the run that is not stored yet, into the same batch. */
void wf_insert_add(struct wf_run *run, const struct wf_execution *x);
/* After a flush in mid-run: nothing is left to write. */
void wf_flush_done(struct wf_run *run);

/* --- values.c: what templates see */

struct wf_scope wf_run_scope(struct wf_run *run);
/* A session variable; takes `value` (NULL: JSON null). `ttl` in seconds, 0: none. */
void wf_run_set(struct wf_run *run, const char *key, json_t *value, int64_t ttl);
/* Borrowed or NULL. */
const json_t *wf_run_get(const struct wf_run *run, enum wf_scope_name scope,
                         const char *key);
/* Preload: the statement and its result. */
size_t wf_run_preload_add(struct wf_run *run, const char *session, const char *workflow,
                          const char *execution);
/* `session`: whether rows of the session count. */
void wf_run_preload_take(struct wf_run *run, size_t index, bool session);
void wf_run_defaults(struct wf_run *run);
/* New: a config member, rendered; NULL when it is absent or empty. */
char *wf_run_text(struct wf_run *run, const json_t *config, const char *key,
                  const char *other);
/* New reference: a config member with its type (whole-string rule); NULL: absent. */
json_t *wf_run_value(struct wf_run *run, const json_t *value);
/* The node's variable for its result, or `fallback`. */
const char *wf_run_assign(const struct wf_node *node, const char *fallback);

/* --- person.c: the customer of a run (§6.4, §6.5) */

/* Whether anything the run may render speaks of the customer. */
bool wf_person_wanted(const struct wf_run *run);
/* The statement in the batch that is begun; wf_person_take() reads it. */
size_t wf_person_add(struct wf_run *run, const char *execution);
void wf_person_take(struct wf_run *run, size_t index);
/* The same for run->user_id. */
size_t wf_person_add_own(struct wf_run *run);
/* The run has changed its customer, and the cache is empty: worth reading anew with the
 * flush, so that the next message finds it. */
bool wf_person_stale(const struct wf_run *run);
/* Whose customer the event's sender is, as the database last said to this process; new
 * text, or NULL: unknown. */
char *wf_person_recall(const struct wf_run *run);
void wf_person_remember(struct wf_run *run, const char *user_id);
void wf_person_take_cached(struct wf_run *run, const char *json);
/* Loads the customer if the node (the current one) needs it and it is not known, and has
 * his referral code made if that is asked for; then goes on. True: nothing to do. */
bool wf_person_ready(struct wf_run *run, const struct wf_node *node, wf_step *then);
void wf_person_load(struct wf_run *run, wf_step *then);
/* The customer with this id is the run's from now on; NULL: nobody. */
void wf_person_set(struct wf_run *run, const char *user_id);
/* After a change by the run: caches are dropped, the next use reads anew
 * (worker/workflow/spec/workflow.md §10.3). */
void wf_person_changed(struct wf_run *run, const char *user_id);
char *wf_person_key(const struct wf_run *run, const char *pattern, const char *user_id);
/* Keys that hold something of a customer, into the group that is begun. */
void wf_person_drop_keys(struct wf_run *run, const char *user_id);

/* --- log.c: rows of workflow_logs (§3.10) */

void wf_log_step(struct wf_run *run, const char *branch, const char *next,
                 const char *outcome);
void wf_log_error(struct wf_run *run, const char *text);
/* A warning beside the step's row. */
void wf_log_warn(struct wf_run *run, const char *text);
/* `YYYY-MM-DDTHH:MM:SS.mmmZ` */
#define WF_ISO_SIZE 64
void wf_iso(int64_t ms, char text[WF_ISO_SIZE]);

/* --- send.c: Telegram */

/* Sends one message of the current node and goes on with `then`, unless an attempt before
 * did so; a refusal is a node error. Takes `params`; `method` is static. The answer is in
 * run->reply. */
void wf_send(struct wf_run *run, const char *method, json_t *params, wf_step *then);
/* Asks Telegram something that changes nothing, and goes on with `then` whatever becomes
 * of it; the answer is in run->reply, its result too. Takes `params`; `method` is static.
 */
void wf_ask(struct wf_run *run, const char *method, json_t *params, wf_step *then);
/* A notice of the engine's own, not part of a node. It takes its place in the limits like
 * any message (WF-175); `then` is called whatever becomes of it, except that a job that
 * has claimed a wait and done nothing else is put off where the chat or the bot is. */
void wf_send_notice(struct wf_run *run, const char *text, wf_step *then);
void wf_answer_callback(struct wf_run *run);
/* The chat `from` is `to` from now on, for what the run sends and for its row. WF-168 */
void wf_moved(struct wf_run *run, const char *from, const char *to);

/* --- node results, for nodes/ */

enum wf_action wf_node_next(void);
enum wf_action wf_node_branch(struct wf_run *run, const char *handle, bool fallback);
enum wf_action wf_node_goto(struct wf_run *run, const char *target);
/* Takes `payload`. */
enum wf_action wf_node_wait(struct wf_run *run, const char *type, json_t *payload);
enum wf_action wf_node_end(struct wf_run *run, bool success, char *message);
enum wf_action wf_node_fail(struct wf_run *run, const char *format, ...) BW_PRINTF(2, 3);
/* The same for an answer of the person's that will not do: he is told `notice`, and the
 * wait it answered stays open where nothing was done since. */
enum wf_action wf_node_refuse(struct wf_run *run, const char *notice, const char *format,
                              ...) BW_PRINTF(3, 4);

#endif
