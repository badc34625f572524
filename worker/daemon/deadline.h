/* The last resort of an end: whatever hangs in a tear-down, the process is gone in time.
 *
 * One thread, which waits for the time it is given and then ends the process. */
#ifndef WORKER_DEADLINE_H
#define WORKER_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/thread.h>
#include <bulwark/time.h>

struct wk_deadline {
    const struct bw_log *log; /* borrowed */
    pthread_t thread;
    bool running;
    struct bw_mutex mtx; /* guards the rest */
    struct bw_cond changed;
    bool set, ending;
    struct bw_mono at;
    int exit_code;
};

BW_MUSTCHECK int wk_deadline_start(struct wk_deadline *deadline, const struct bw_log *log,
                                   struct bw_error *err);
/* Any thread: the process ends at that time, or before if it was told so. */
void wk_deadline_set(struct wk_deadline *deadline, struct bw_mono at);
/* With which code it would end then. */
void wk_deadline_exit_code(struct wk_deadline *deadline, int exit_code);
/* It is not needed any more. Harmless when not started. */
void wk_deadline_stop(struct wk_deadline *deadline);

#endif
