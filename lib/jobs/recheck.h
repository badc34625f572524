/* Was an end recorded whose reply was lost? Looked up, not guessed. On the reactor.
 *
 * A job whose end was sent again is refused if the first sending had succeeded: its lock
 * is gone, or it is no longer active. Each recorded attempt adds one to the hash's `atm`,
 * and a job that was finished with a retention of 0 has no hash any more. */
#ifndef BW_JOBS_RECHECK_H
#define BW_JOBS_RECHECK_H

struct bw_job;

/* `code` is the refusal, for when the lookup finds nothing recorded. */
void bw_recheck(struct bw_job *job, int code);

#endif
