/* A job's options as a person types them. Pure; any thread. */
#ifndef WORKER_JOB_OPTIONS_H
#define WORKER_JOB_OPTIONS_H

#include <bulwark/error.h>

/* `text` is JSON. BW_EINVAL: no object, or an option that BullMQ does not know, with the
 * nearest one: stored as it is, it would count for nothing. lib/spec/bullmq.md §2.3 */
BW_MUSTCHECK int wk_job_options_check(const char *text, struct bw_error *err);

#endif
