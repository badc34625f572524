/* Workers of another kind on the queue: BullMQ's own, which would take jobs away and run
 * them as the service it replaces does. A connection named as the queue's workers are,
 * whose last command is BZPOPMIN; a bulwark worker never waits on the one it is named on.
 */
#ifndef WORKFLOW_FOREIGN_H
#define WORKFLOW_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>
#include <bulwark/worker.h>

/* In what CLIENT LIST says, connections named `name` or of a named worker of that queue.
 * `address` of the first one (`size` bytes, or NULL; "": none). */
unsigned wf_foreign_count(const char *list, const char *name, char *address, size_t size);

/* Looks now and then, from start to stop; warns when some appear. */
struct wf_foreign;

struct wf_foreign_options {
    struct bw_worker *worker;
    struct bw_redis *redis; /* where the queue is; borrowed */
    const char *prefix, *queue;
    const struct bw_log *log; /* names the queue; borrowed */
};

/* NULL: out of memory. */
struct wf_foreign *wf_foreign_create(const struct wf_foreign_options *options);
void wf_foreign_start(struct wf_foreign *foreign);
/* Ends what was started, and waits until nothing is left of it; false: the deadline has
 * passed, and it must not be destroyed. Any thread but the worker's own; harmless when it
 * was never started. */
bool wf_foreign_stop(struct wf_foreign *foreign, struct bw_mono deadline);
/* After stop. NULL-safe; empties the pointer. */
void wf_foreign_destroy(struct wf_foreign **foreignp);
/* How many there were the last time. Any thread. */
unsigned wf_foreign_seen(const struct wf_foreign *foreign);

#endif
