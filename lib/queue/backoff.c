/* How long a failed job waits for its next attempt. lib/spec/bullmq.md §5.2 */
#include "queue/options.h"

#include <math.h>

#define DELAY_MAX 9.0e15 /* exact as a double, and far beyond any queue's life */

static double round_half_up(double number)
{
    return floor(number + 0.5);
}

int64_t bw_backoff_delay(const struct bw_job_opts *opts, unsigned attempts_made, double u)
{
    double delay = opts->backoff_delay;
    double jitter = opts->backoff_jitter;

    switch (opts->backoff) {
    case BW_BACKOFF_NONE:
        return 0;
    case BW_BACKOFF_CUSTOM:
        return BW_BACKOFF_UNKNOWN;
    case BW_BACKOFF_EXPONENTIAL: /* n - 1 finished attempts double the delay */
        delay = round_half_up(pow(2, attempts_made) * delay);
        break;
    case BW_BACKOFF_FIXED:
        break;
    }
    if (jitter > 0)
        delay = floor(u * delay * jitter + delay * (1 - jitter));
    if (delay == -1)
        return -1;
    if (!(delay > 0)) /* not a number included */
        return 0;
    return (int64_t)fmin(delay, DELAY_MAX);
}
