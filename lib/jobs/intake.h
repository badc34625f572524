/* How a job gets in and to its handler, and out of its hands again. On the reactor. */
#ifndef BW_JOBS_INTAKE_H
#define BW_JOBS_INTAKE_H

#include <stdint.h>

#include <bulwark/time.h>

struct bw_job;
struct bw_lane;
struct bw_reply;
struct bw_settle_reply;

/* A reply has `asked` for jobs: what it says of the queue. */
void bw_intake_fetched(struct bw_lane *lane, const struct bw_settle_reply *reply,
                       unsigned asked);
/* A job of a reply: decoded, entered and given to its handler. `since` is when the call
 * was sent: the lock is not older. `first_token` is the least that its token can be:
 * another job is skipped. */
void bw_intake_start(struct bw_lane *lane, const struct bw_reply *fields,
                     struct bw_mono since, uint64_t first_token);
/* Takes a held job away from its handler and hands it back; its start counts if it was
 * begun. */
void bw_intake_give_up(struct bw_job *job);

#endif
