/* Room in a run for what the layers above keep there between their steps. Each struct is
 * its file's own, but for those whose comment says otherwise. */
#ifndef WORKFLOW_STATE_H
#define WORKFLOW_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/time.h>

#include "workflow/engine/effects.h"
#include "workflow/engine/locks.h"
#include "workflow/run/step.h"

/* --- outbox */

/* send.c: a call of the Bot API */
struct wf_outgoing {
    wf_step *then;
    const char *method; /* static */
    json_t *params;
    /* where the last one went */
    char *chat;
};

/* throttle.c: its place in the limits */
struct wf_throttle {
    wf_step *granted;
    /* NULL: the job is put off */
    wf_step *none;
    char *chat;
    struct bw_mono until;
    char token[33];
};

/* token.c: a token that may be wrong */
struct wf_token {
    /* the call was made again with the database's token */
    bool tried;
    /* of getMe */
    enum wf_send_outcome answer;
    /* the project's hold when the job arrived, or NULL */
    json_t *hold;
    struct bw_mono probe_until;
    wf_step *admitted, *then, *again, *refused, *instead;
};

/* token.c, and kept in checkpoints */
struct wf_refusals {
    /* how often a call was refused though getMe was answered */
    unsigned doubts;
    /* wall clock: the job's first one; 0: none */
    int64_t since;
};

/* The messages of the current node: send.c, and kept in checkpoints. */
struct wf_message {
    /* the checkpoint says that it is about to go out */
    bool intended;
    /* the message that an attempt before may have sent; 0: none */
    unsigned unknown;
    /* messages that are out */
    unsigned sent;
    /* the one under way, from 1 */
    unsigned sending;
};

/* What Telegram answered: written by send.c, for all. */
struct wf_answer {
    enum wf_send_outcome outcome;
    bool blocked, not_modified, message_gone, unknown, unclear;
    int status;
    int64_t retry_after_ms, message_id;
    char *description;
    json_t *result; /* of wf_ask() */
};

/* checkpoint.c */
struct wf_checkpoint {
    wf_step *then;
    /* its place in the group of keys, and in the batch */
    size_t at, row_at;
    /* the last one, as text; NULL: none */
    char *text;
};

/* delays.c */
struct wf_delays {
    wf_step *then;
    char *error;
};

struct wf_outbox {
    struct wf_outgoing call;
    struct wf_throttle throttle;
    struct wf_token token;
    struct wf_refusals refusals;
    struct wf_message message;
    struct wf_answer reply;
    struct wf_checkpoint checkpoint;
    struct wf_delays delays;
    /* witness.c: the claim was made again */
    wf_step *claimed;
    /* wall clock, ms: until when the job is put off; 0: it is not */
    int64_t hold_until;
    /* chat → its new id, as Telegram said in this run; or NULL */
    json_t *moves;
};

/* --- nodes: what one needs across its operations, cleared behind it */

struct wf_work {
    struct wf_lock lock;
    struct bw_mono lock_until;
    /* of the batch */
    size_t index;
    bool person_asked;
    wf_step *then;
    /* how often it was begun anew, by settings.errorHandling */
    unsigned retries;
    /* the answer to a request (nodes/fetch.h) */
    struct {
        enum web_outcome outcome;
        int status;
        char *body; /* NUL-terminated */
        size_t len;
        char *error;
    } fetched;
};

/* --- steps */

/* lookup.c */
struct wf_lookup {
    /* a claim was lost once */
    bool again;
    /* it asks for nothing that it can do without */
    bool bare;
    /* the batch asks for the customer */
    bool person_asked;
    /* begun by an attempt before; SIZE_MAX: none */
    size_t own_row;
    /* places in the group of keys before; 0: none */
    size_t waiting_at, variables_at;
};

/* warm.c */
struct wf_warm {
    /* nothing was open in the chat, or NULL */
    json_t *idle;
    /* first of the keys that may speak against it; 0: not asked */
    size_t at;
    /* a new execution that began without a look-up */
    bool on;
};

/* restore.c */
struct wf_restore {
    wf_step *anew;
    /* sub-workflows the run was inside of */
    unsigned depth;
};

/* finish.c */
struct wf_finish {
    /* places in the batch: of the flush, of the customer read behind it; 0: not read */
    size_t flush_at, person_at;
    /* the flush saw nothing else open in the chat */
    bool only_one;
    /* the flush found no row once */
    bool flushed_before;
    /* the flush was refused: only the state is written now */
    bool again;
};

struct wf_steps {
    struct wf_lookup lookup;
    struct wf_warm warm;
    struct wf_restore restore;
    struct wf_finish finish;
    /* address.c: who is spoken to is known */
    wf_step *addressed;
    /* session id by the pointer key, or NULL */
    char *pointer;
    /* session whose variables are there or asked for; "": none */
    char *preloaded;
    /* loop.c: since it was resumed the run did what must not be done again by a next
     * answer */
    bool acted;
};

#endif
