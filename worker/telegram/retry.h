/* When a call is sent again, and how it ends (worker/workflow/spec/workflow.md §9.4,
 * §9.6). Pure: no clock, no network; the client waits as told. */
#ifndef WORKER_TELEGRAM_RETRY_H
#define WORKER_TELEGRAM_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "telegram/client.h"

/* How one attempt ended. */
enum tg_event {
    TG_EVENT_ANSWER,  /* with a status and a body one can understand */
    TG_EVENT_UNCLEAR, /* a status of success, and no answer of the Bot API */
    TG_EVENT_CUT,     /* the request left, no answer came */
    TG_EVENT_UNSENT   /* the request did not leave completely, or was surely refused */
};

struct tg_attempt {
    enum tg_event event;
    int status; /* of an answer; 200 for ok:true */
    int64_t retry_after_ms;
    bool markup; /* the request has a parse_mode and the answer complains about markup */
    bool moved;  /* a 400 that names the chat's new id */
};

/* What happened to a call so far. A zeroed struct is a fresh call. */
struct tg_history {
    unsigned limited; /* retries after a 429 */
    unsigned failed;  /* retries after anything else */
    bool plain;       /* sent without parse_mode */
    bool moved;       /* sent to the chat's new id */
    bool question;    /* changes nothing: may be asked again at will */
    bool sent;        /* a request left completely */
    bool once;        /* it must not be sent again once it is in doubt */
    bool doubtful; /* an attempt may have been carried out although no answer said so */
};

enum tg_step { TG_STEP_FINISH, TG_STEP_RETRY, TG_STEP_PLAIN, TG_STEP_MOVED };

struct tg_verdict {
    enum tg_step step;
    int64_t delay_ms;        /* before a retry */
    enum tg_outcome outcome; /* of TG_STEP_FINISH */
};

/* Notes the attempt in the history and says what to do next. */
struct tg_verdict tg_retry_judge(struct tg_history *history,
                                 const struct tg_attempt *attempt,
                                 int64_t max_retry_after_ms);

/* True when a 400's description is about markup (§9.4). */
bool tg_retry_is_markup(const char *description);

#endif
