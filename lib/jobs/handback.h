/* Jobs that go back to wait as if they had not been fetched: gathered while a turn lasts,
 * in the order in which they were fetched, and sent in calls of their own (BMQ-170). On
 * the reactor. */
#ifndef BW_JOBS_HANDBACK_H
#define BW_JOBS_HANDBACK_H

struct bw_lane;

/* Sends what waits, unless the worker's end has it wait; what cannot be sent waits on. */
void bw_handback_send(struct bw_lane *lane);

#endif
