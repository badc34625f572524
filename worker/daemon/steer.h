/* How a running daemon is steered from outside by signals.
 *
 * SIGTERM, SIGINT: drain; a second one: at once. SIGTSTP: go quiet. SIGCONT: resume.
 * SIGHUP: read the configuration again, or drain when it was started from a terminal that
 * has gone. SIGUSR1: write the state to the log. */
#ifndef WORKER_STEER_H
#define WORKER_STEER_H

#include <bulwark/error.h>

#include "daemon/signals.h"

struct wk_app;

/* `app` must outlive wk_signals_stop(). */
BW_MUSTCHECK int wk_steer_start(struct wk_signals *signals, struct wk_app *app,
                                struct bw_error *err);

#endif
