/* The stalled check: once at the start, then each stalledInterval (lib/spec/bullmq.md
 * §6.3, BMQ-107 to 112). On the reactor. */
#ifndef BW_JOBS_STALLED_H
#define BW_JOBS_STALLED_H

struct bw_lane;

/* Checks at once and starts the timer, if it does not run yet. */
void bw_stalled_start(struct bw_lane *lane);
/* The timer's function; `arg` is the queue. */
void bw_stalled_tick(void *arg);

#endif
