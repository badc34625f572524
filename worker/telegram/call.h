/* What the client sees of a call. Between submit and `done` it belongs to the client's
 * thread, but for the two fields that the client's mutex guards. */
#ifndef WORKER_TELEGRAM_CALL_H
#define WORKER_TELEGRAM_CALL_H

#include <bulwark/buf.h>
#include <bulwark/time.h>

#include "telegram/answer.h"
#include "telegram/client.h"
#include "telegram/retry.h"

enum tg_stage {
    TG_STAGE_READY,  /* in the client's queues, to be sent */
    TG_STAGE_FLYING, /* in the transport */
    TG_STAGE_PAUSING /* waits for its next attempt */
};

struct tg_call {
    struct tg_call *next; /* in a tg_queue */
    char *token;
    char *method;
    json_t *params; /* never NULL */
    char *body;     /* what is sent */
    size_t body_len;

    void (*done)(struct tg_call *call, void *arg);
    void *arg;
    enum tg_stage stage;
    struct tg_history history;
    struct bw_mono due; /* while pausing */
    size_t place;       /* in the heap of pauses */

    void *easy; /* while flying: the transport's handle */
    struct bw_buf response;
    bool response_too_long;
    bool request_begun; /* of this attempt: the first byte may have left */
    char error[256];    /* the transport's, as curl says it */

    enum tg_outcome outcome;
    unsigned attempts;
    int status;
    bool unclear;     /* a 200 that is none of the Bot API's: it counts as carried out */
    int64_t moved_to; /* the chat it went to in the end; 0: the one that was asked for */
    struct tg_answer answer;

    struct tg_call *prev_owned, *next_owned; /* the client's list of all it has */

    /* Guarded by the client's mutex: */
    bool owned;     /* between submit and done */
    bool cancelled; /* asked for */
    struct tg_call *next_cancelled;
};

/* Whether an ok:true is one that `method` can have: worker/workflow/spec/workflow.md
 * §9.6. */
bool tg_call_result_fits(const struct tg_call *call);
bool tg_call_has_parse_mode(const struct tg_call *call);
/* Leaves parse_mode out from now on. BW_OK or BW_ENOMEM. */
BW_MUSTCHECK int tg_call_make_plain(struct tg_call *call);
/* To this chat from now on. BW_OK or BW_ENOMEM. */
BW_MUSTCHECK int tg_call_migrate(struct tg_call *call, int64_t chat);
/* The transport's or our own words instead of Telegram's; the token is left out. */
void tg_call_describe(struct tg_call *call, const char *text);

/* A list of calls; a zeroed struct is empty. */
struct tg_queue {
    struct tg_call *first, *last;
};

void tg_queue_add(struct tg_queue *queue, struct tg_call *call);
void tg_queue_add_first(struct tg_queue *queue, struct tg_call *call);
struct tg_call *tg_queue_take(struct tg_queue *queue); /* NULL when empty */
void tg_queue_move(struct tg_queue *to, struct tg_queue *from);
void tg_queue_remove(struct tg_queue *queue, struct tg_call *call);

#endif
