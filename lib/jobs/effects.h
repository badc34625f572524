/* Side effects of jobs (progress, log, data; lib/spec/bullmq.md §7.1), in the order they
 * were asked for, each before the settle call with the end of its job.
 *
 * One whose answer was lost with the connection is sent again: setting twice is harmless,
 * and a log row that may appear twice is better than one that is missing. On the reactor.
 */
#ifndef BW_JOBS_EFFECTS_H
#define BW_JOBS_EFFECTS_H

#include <stdbool.h>

#include "base/list.h"

struct bw_caller;

struct bw_effects {
    struct bw_caller *caller;
    /* Their replies are awaited. */
    struct bw_list sent;
    /* To be sent again, before the next. */
    struct bw_list lost;
    /* Never sent. */
    struct bw_list unsent;
};

/* The caller is borrowed. */
void bw_effects_init(struct bw_effects *effects, struct bw_caller *caller);
/* Sends what was not sent yet. */
void bw_effects_flush(struct bw_effects *effects);
bool bw_effects_pending(const struct bw_effects *effects);
void bw_effects_fini(struct bw_effects *effects);

#endif
