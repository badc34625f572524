/* Jobs whose end waits to be sent: for a settle call, in the order of their answers; or
 * to be handed back, in the order of their fetch. On the reactor. */
#ifndef BW_JOBS_READY_H
#define BW_JOBS_READY_H

#include <stdbool.h>

#include "base/list.h"

struct bw_job;
struct bw_lane;

struct bw_ready { /* of a lane */
    struct bw_job *head, *tail;
    unsigned count;
    struct bw_list handbacks;
};

void bw_ready_init(struct bw_ready *ready);
/* The job's end is to be sent (again): behind the others, or before them. One that goes
 * back takes its place among those that do. */
void bw_ready_add(struct bw_job *job);
void bw_ready_add_first(struct bw_job *job);
/* Takes the first whose end is to be settled; there must be one. */
struct bw_job *bw_ready_take(struct bw_lane *lane);
/* Takes the last of those to be handed back; NULL: there is none. */
struct bw_job *bw_ready_take_handback(struct bw_lane *lane);
/* Is the first to be settled in a call of its own? */
bool bw_ready_is_alone(const struct bw_lane *lane);

#endif
