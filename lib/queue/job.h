/* A job as the library holds it: the text of its hash, decoded from a fetch's reply.
 *
 * Created by the reactor from a reply, read by the handler's thread, freed where it ends.
 * The fields are constant after decoding, but for `run`, which belongs to lib/run. */
#ifndef BW_QUEUE_JOB_H
#define BW_QUEUE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/redis.h>

#include "queue/options.h"

struct bw_text { /* bytes followed by a NUL; data NULL: absent */
    const char *data;
    size_t len;
};

struct bw_job_data {
    char *block; /* owns the bytes of all texts: one allocation a job */
    struct bw_text id, name, data, opts, parent_key, parent, repeat_key, deduplication_id,
        deferred_failure, stacktrace, progress, token;
    int64_t timestamp, delay, priority, processed_on;
    unsigned attempts_made, attempts_started, stalled_count;
    struct bw_job_opts parsed; /* what state transitions need of `opts`; lenient */
};

/* `fields` is one job of the fetch reply: see lua/includes/take.lua for its form. `name`
 * absent means a ghost (lib/spec/bullmq.md §4.2). Fails with BW_EPROTO on another form,
 * BW_ENOMEM. */
BW_MUSTCHECK int bw_job_data_decode(struct bw_job_data *job,
                                    const struct bw_reply *fields, struct bw_error *err);
void bw_job_data_fini(struct bw_job_data *job);

/* The stacktrace field after one more failure (§2.2): the old array, lenient, plus
 * `entry` (NULL: none), cut to `limit` entries (< 0: all). New JSON text in `out`. */
BW_MUSTCHECK int bw_stacktrace_append(struct bw_buf *out, const struct bw_text *old,
                                      const struct bw_text *entry, int64_t limit);

#endif
