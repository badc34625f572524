/* Lock renewal: one call a queue for all its jobs that are due (lib/spec/bullmq.md §6.2).
 * On the reactor. */
#ifndef BW_JOBS_RENEW_H
#define BW_JOBS_RENEW_H

struct bw_lane;

/* Starts the queue's timer. */
void bw_renew_start(struct bw_lane *lane);
/* The timer's function; `arg` is the queue. */
void bw_renew_tick(void *arg);
/* All jobs held, due or not: after a reconnect. */
void bw_renew_all(struct bw_lane *lane);

#endif
