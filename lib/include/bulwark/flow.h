/* Flows: jobs that wait for other jobs, their children. lib/spec/bullmq.md §8
 *
 * Asynchronous, over a `struct bw_redis`: any thread; the callback runs on the reactor
 * and must not block. It is called exactly once, unless the call returns an error: then
 * never. */
#ifndef BULWARK_FLOW_H
#define BULWARK_FLOW_H

#include <stddef.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/queue.h>
#include <bulwark/redis.h>
#include <bulwark/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- adding */

struct bw_flow_node {  /* all borrowed for the call */
    struct bw_add add; /* prefix NULL: that of the parent node, "bull" for the root */
    const struct bw_flow_node *children;
    size_t child_count;
};

/* `ids` are those of the nodes, level by level, the root's first; borrowed for the call.
 * NULL exactly when `err` is not. */
typedef void bw_flow_cb(const char *const *ids, size_t count, const struct bw_error *err,
                        void *arg);

/* Adds the tree in one step: nobody sees a part of it. A node without a jobId gets a
 * UUID; what the failure of a child means to its parent is an option of the child
 * (failParentOnFailure …). The root may have a parent through its options. Only the
 * root's refusal is reported (BW_EJOB_PARENT_MISSING, BW_EJOB_OTHER_PARENT): as in BullMQ
 * the other nodes are added all the same, and one that belongs to another living parent
 * keeps its own parent waiting. Errors: BW_EINVAL naming node and option; BW_ENOMEM;
 * BW_ECLOSED. */
BW_MUSTCHECK BW_API int bw_flow_add(struct bw_redis *redis,
                                    const struct bw_flow_node *root,
                                    const struct bw_clock *clock, unsigned timeout_ms,
                                    bw_flow_cb *cb, void *arg, struct bw_error *err);

/* --- reading; `prefix` NULL: "bull" */

/* `json` is borrowed for the call; NULL exactly when `err` is not. */
typedef void bw_json_cb(const char *json, size_t len, const struct bw_error *err,
                        void *arg);

/* {"<child key>": <return value>, …}: of the children that have completed. §8.7 */
BW_MUSTCHECK BW_API int bw_flow_children_values(struct bw_redis *redis,
                                                const char *prefix, const char *queue,
                                                const char *id, unsigned timeout_ms,
                                                bw_json_cb *cb, void *arg);
/* {"<child key>": "<reason>", …}: of the children whose failure was tolerated. */
BW_MUSTCHECK BW_API int bw_flow_ignored_failures(struct bw_redis *redis,
                                                 const char *prefix, const char *queue,
                                                 const char *id, unsigned timeout_ms,
                                                 bw_json_cb *cb, void *arg);
/* {"processed": n, "unprocessed": n, "ignored": n, "failed": n} §7.1 */
BW_MUSTCHECK BW_API int bw_flow_dependency_counts(struct bw_redis *redis,
                                                  const char *prefix, const char *queue,
                                                  const char *id, unsigned timeout_ms,
                                                  bw_json_cb *cb, void *arg);
/* {"processed": {"<child key>": value}, "unprocessed": ["<child key>"],
 * "ignored": {"<child key>": "reason"}, "failed": ["<child key>"]} §7.1 */
BW_MUSTCHECK BW_API int bw_flow_dependencies(struct bw_redis *redis, const char *prefix,
                                             const char *queue, const char *id,
                                             unsigned timeout_ms, bw_json_cb *cb,
                                             void *arg);

struct bw_flow_query {
    const char *prefix; /* NULL: "bull" */
    const char *queue;
    const char *id;
    unsigned depth;        /* levels, the job's own included; 0: 10 */
    unsigned max_children; /* of a job and of each kind; 0: 20 */
};

/* The job and what hangs on it: {"key": "<job key>", "job": {<fields of its hash, §2.1>},
 * "children": [the same for each]}; null when there is no such job. Children that were
 * removed are left out. */
BW_MUSTCHECK BW_API int bw_flow_get(struct bw_redis *redis,
                                    const struct bw_flow_query *query,
                                    unsigned timeout_ms, bw_json_cb *cb, void *arg);

/* In which state a job is, as a JSON string: "waiting", "active", "delayed",
 * "prioritized", "waiting-children", "completed", "failed" or "unknown". §7.1 getState */
BW_MUSTCHECK BW_API int bw_flow_state(struct bw_redis *redis, const char *prefix,
                                      const char *queue, const char *id,
                                      unsigned timeout_ms, bw_json_cb *cb, void *arg);

#ifdef __cplusplus
}
#endif

#endif
