/* Signals, awaited in one thread and turned into calls.
 *
 * wk_signals_block() comes first, in main, before any thread exists: every thread
 * inherits it. */
#ifndef WORKER_SIGNALS_H
#define WORKER_SIGNALS_H

#include <pthread.h>
#include <stdbool.h>

#include <bulwark/error.h>

struct wk_signals {
    void (*handle)(int signal, void *arg); /* on the signal thread */
    void *arg;
    pthread_t thread;
    bool running;
    bool ending; /* atomic */
};

/* Blocks what is awaited, ignores SIGPIPE. */
void wk_signals_block(void);

BW_MUSTCHECK int wk_signals_start(struct wk_signals *signals,
                                  void (*handle)(int signal, void *arg), void *arg,
                                  struct bw_error *err);
/* Blocks until a running call of the handler is over. Harmless when not started. */
void wk_signals_stop(struct wk_signals *signals);

#endif
