/* Cancelling a job by its id, asked for from any thread and answered by the reactor. */
#ifndef BW_RUN_CANCEL_JOB_H
#define BW_RUN_CANCEL_JOB_H

#include <bulwark/api.h>

struct bw_lanes;

/* Waits for the reactor, at most a second. BW_OK; BW_EINVAL: not in flight here;
 * BW_ETIMEDOUT; BW_ENOMEM. Not on the reactor. */
BW_MUSTCHECK int bw_cancel_job(struct bw_lanes *lanes, const char *queue, const char *id,
                               const char *reason);

#endif
