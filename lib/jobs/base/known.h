/* What is known of a queue's state in Redis, from the replies of fetches and from signs
 * between them (lib/spec/bullmq.md §11.3). On the reactor. */
#ifndef BW_JOBS_BASE_KNOWN_H
#define BW_JOBS_BASE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/time.h>

struct bw_queue_options;
struct bw_settle_reply;

struct bw_known {
    /* The last fetch found all that it asked for. */
    bool plenty;
    /* The last fetch found less than it asked for. */
    bool drained;
    /* A sign of jobs came after the last fetch was sent. */
    bool woken;
    /* Wall clock: next delayed job; 0: none known. "blockUntil" */
    int64_t due_ms;
    struct bw_mono limit_until;
    /* When a drained queue is fetched from all the same. */
    struct bw_mono poll_at;
};

/* A sign of jobs. */
void bw_known_wake(struct bw_known *known);
void bw_known_fetch_sent(struct bw_known *known);
/* A reply has `asked` for jobs and brought what it says. */
void bw_known_fetched(struct bw_known *known, const struct bw_settle_reply *reply,
                      unsigned asked, struct bw_mono now,
                      const struct bw_queue_options *options);
/* Rate limited for so long, but never beyond maximumRateLimitDelay. */
void bw_known_limit(struct bw_known *known, struct bw_mono now, int64_t limit_ms,
                    const struct bw_queue_options *options);
bool bw_known_is_limited(const struct bw_known *known, struct bw_mono now);
/* A delayed job is due then. */
void bw_known_due(struct bw_known *known, int64_t due_ms);
/* A drained queue is fetched from when its next delayed job is due, and every drainDelay:
 * not every change sets a marker (lib/spec/bullmq.md §10.4). */
void bw_known_end_waits(struct bw_known *known, struct bw_mono now, struct bw_wall wall);
/* How long a drained queue may wait for that; it may be over. */
int64_t bw_known_wait(const struct bw_known *known, struct bw_mono now,
                      struct bw_wall wall);

#endif
