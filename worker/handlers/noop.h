/* The handler `noop`: completes each job with {"ok":true}.
 *
 * "noop" answers on the spot. {"noop": {"delayMs": N}} answers N milliseconds later
 * without holding a thread meanwhile: for trying out drains, concurrency and dashboards.
 * A cancelled job is answered when its delay is over, or not at all if the worker is gone
 * by then. */
#ifndef WORKER_HANDLERS_NOOP_H
#define WORKER_HANDLERS_NOOP_H

#include "handlers/handler.h"

extern const struct wk_handler_type noop_handler_type;

#endif
