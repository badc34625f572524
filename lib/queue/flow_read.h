/* The reading functions of flow.h for ids with NULs inside. lib/spec/bullmq.md §8.7, §7.1
 */
#ifndef BW_QUEUE_FLOW_READ_H
#define BW_QUEUE_FLOW_READ_H

#include <bulwark/flow.h>

#include "queue/job.h"

enum bw_flow_question {
    BW_FLOW_VALUES,
    BW_FLOW_IGNORED,
    BW_FLOW_COUNTS,
    BW_FLOW_DEPENDENCIES,
    BW_FLOW_STATE
};

struct bw_flow_job { /* all borrowed for the call */
    const char *prefix, *queue;
    struct bw_text id; /* data NULL: BW_EINVAL */
};

/* Codes and callback as of flow.h. */
BW_MUSTCHECK int bw_flow_ask(struct bw_redis *redis, const struct bw_flow_job *job,
                             enum bw_flow_question question, unsigned timeout_ms,
                             bw_json_cb *cb, void *arg);

#endif
