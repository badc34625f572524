/* `bulwark queue cancel`: asks whoever runs a job to stop it. */
#ifndef WORKER_COMMAND_CANCEL_H
#define WORKER_COMMAND_CANCEL_H

#include "command/session.h"

/* Blocks until a worker with `remoteCancel` has taken the request up, or for 3 s: then it
 * is withdrawn (BW_ETIMEDOUT). `reason` NULL: "by an operator". */
BW_MUSTCHECK int wk_cancel_job(struct wk_session *session, const char *prefix,
                               const char *queue, const char *id, const char *reason,
                               struct bw_error *err);

#endif
