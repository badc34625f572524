/* Asking the other replicas to cancel a job: a request in Redis that each worker whose
 * queue has `remoteCancel` looks for once a second (lib/jobs/remote_cancel.h). */
#ifndef WORKER_CANCEL_REQUEST_H
#define WORKER_CANCEL_REQUEST_H

#include <bulwark/error.h>
#include <bulwark/redis.h>

/* Blocks until Redis has it, at most a second. It expires after 3 s if no worker runs the
 * job by then. BW_ECLOSED, BW_EREDIS and others: it was not written, or nobody knows;
 * BW_ETIMEDOUT; BW_ENOMEM. Not on the reactor. */
BW_MUSTCHECK int wk_cancel_request(struct bw_redis *redis, const char *prefix,
                                   const char *queue, const char *id, const char *reason);

#endif
