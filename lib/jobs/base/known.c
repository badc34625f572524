#include "jobs/base/known.h"

#include <stddef.h>

#include <bulwark/worker.h>

#include "base/assert.h"
#include "queue/calls.h"

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void bw_known_wake(struct bw_known *known)
{
    known->drained = false;
    known->woken = true;
}

void bw_known_fetch_sent(struct bw_known *known)
{
    known->woken = false;
}

void bw_known_fetched(struct bw_known *known, const struct bw_settle_reply *reply,
                      unsigned asked, struct bw_mono now,
                      const struct bw_queue_options *options)
{
    bool refused = reply->refusal != NULL;

    BW_ASSERT(asked > 0);
    if (reply->limit_ttl_ms > 0)
        bw_known_limit(known, now, reply->limit_ttl_ms, options);
    known->plenty = !refused && reply->job_count >= asked;
    /* What was added after this call was executed may have been announced before its
     * reply. */
    known->drained = !refused && !known->plenty && !known->woken;
    if (!refused && (reply->next_due_ms > 0 || reply->job_count == 0))
        known->due_ms = reply->next_due_ms;
    known->poll_at = bw_mono_add_ms(now, options->drain_delay);
    BW_ASSERT(!(known->plenty && known->drained));
}

void bw_known_limit(struct bw_known *known, struct bw_mono now, int64_t limit_ms,
                    const struct bw_queue_options *options)
{
    known->limit_until =
        bw_mono_add_ms(now, sooner(limit_ms, options->maximum_rate_limit_delay));
}

bool bw_known_is_limited(const struct bw_known *known, struct bw_mono now)
{
    return bw_mono_before(now, known->limit_until);
}

void bw_known_due(struct bw_known *known, int64_t due_ms)
{
    BW_ASSERT(due_ms > 0);
    if (known->due_ms == 0 || due_ms < known->due_ms)
        known->due_ms = due_ms;
}

void bw_known_end_waits(struct bw_known *known, struct bw_mono now, struct bw_wall wall)
{
    if (known->limit_until.ns != 0 && !bw_known_is_limited(known, now)) {
        known->limit_until.ns = 0;
        known->drained = false;
    }
    if (!known->drained)
        return;
    if (known->due_ms > 0 && wall.ms >= known->due_ms) {
        known->due_ms = 0;
        known->drained = false;
    } else if (!bw_mono_before(now, known->poll_at)) {
        known->drained = false;
    }
}

int64_t bw_known_wait(const struct bw_known *known, struct bw_mono now,
                      struct bw_wall wall)
{
    int64_t wait = bw_mono_ms_until(now, known->poll_at);

    BW_ASSERT(known->drained);
    return known->due_ms > 0 ? sooner(wait, known->due_ms - wall.ms) : wait;
}
