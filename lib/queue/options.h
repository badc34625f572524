/* Job options: the part of a job's `opts` that state transitions read, and the producer's
 * codec. lib/spec/bullmq.md §2.3. */
#ifndef BW_QUEUE_OPTIONS_H
#define BW_QUEUE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>
#include <bulwark/worker.h>

enum bw_backoff_type {
    BW_BACKOFF_NONE,
    BW_BACKOFF_FIXED,
    BW_BACKOFF_EXPONENTIAL,
    BW_BACKOFF_CUSTOM /* any other type: the handler's delay decides, without one it is
                         unknown */
};

struct bw_job_opts {
    unsigned attempts; /* 0 when absent or not a number */
    enum bw_backoff_type backoff;
    double backoff_delay;  /* ms */
    double backoff_jitter; /* 0…1 */
    bool lifo;
    int64_t stack_trace_limit; /* < 0: all */
    int64_t keep_logs;         /* 0: all */
    int64_t timeout;           /* ms a handler may take; 0: the queue's */
    struct bw_keep remove_on_complete, remove_on_fail;
};

/* Lenient (Appendix C): what is missing or of the wrong type counts as absent; text that
 * is no JSON object gives the defaults. Fails on BW_ENOMEM only. */
BW_MUSTCHECK int bw_job_opts_parse(struct bw_job_opts *opts, const char *json,
                                   size_t len);

/* §5.2 with `u` uniform in [0,1). Returns the delay in ms; 0: retry at once; -1: do not
 * retry; BW_BACKOFF_UNKNOWN: a type that nobody knows. `attempts_made` is the finished
 * attempts before this failure. */
#define BW_BACKOFF_UNKNOWN INT64_MIN
int64_t bw_backoff_delay(const struct bw_job_opts *opts, unsigned attempts_made,
                         double u);

#endif
