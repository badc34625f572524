/* Was an end recorded whose reply was lost? Looked up, not guessed. On the reactor.
 *
 * A job whose end was sent again is refused if the first sending had succeeded: its lock
 * is gone, or it is no longer active. Each recorded attempt adds one to the hash's `atm`,
 * and a job that was finished with a retention of 0 has no hash any more. */
#ifndef BW_JOBS_RECHECK_H
#define BW_JOBS_RECHECK_H

#include <stdbool.h>

struct bw_job;

/* Asked before the outcome takes `code`, the answer to the job's end: true when an
 * earlier call of ours may have led to it; the lookup then decides what it means. */
bool bw_recheck(struct bw_job *job, int code);

#endif
