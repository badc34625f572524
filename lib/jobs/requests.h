/* What a handler asks of Redis for its job where the answer changes what the worker knows
 * of the job: waiting for children, extending the lock. (All else is asked over
 * bw_job_redis().)
 *
 * A request comes as a letter, so that it follows the job's side effects. One that moves
 * the job is repeated after a lost connection, as an outcome is. After the reactor's end
 * requests are refused, and those on their way are called back: nobody waits in vain. */
#ifndef BW_JOBS_REQUESTS_H
#define BW_JOBS_REQUESTS_H

#include <stdbool.h>

#include <bulwark/thread.h>

#include "base/list.h"

struct bw_caller;
struct bw_letterbox;

struct bw_requests {
    struct bw_caller *caller;
    struct bw_letterbox *letters;
    /* The reactor's: to be sent, or sent again. */
    struct bw_list moves;
    /* Any thread: sending against closing; guards `closed`. */
    struct bw_mutex mutex;
    bool closed;
};

/* Both are borrowed. */
void bw_requests_init(struct bw_requests *requests, struct bw_caller *caller,
                      struct bw_letterbox *letters);
/* On the reactor: sends what was not sent yet. */
void bw_requests_flush(struct bw_requests *requests);
/* On the reactor's thread, when its loop has ended and its connections are closed. */
void bw_requests_close(struct bw_requests *requests);
void bw_requests_fini(struct bw_requests *requests);

#endif
