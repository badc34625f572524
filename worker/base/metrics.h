/* Figures gathered for one answer of /metrics or /status: rows of a name, labels and a
 * value.
 *
 * Storage of the caller, one thread. Memory running out drops rows, and `incomplete` says
 * so. */
#ifndef WORKER_METRICS_H
#define WORKER_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/buf.h>

#include "handlers/handler.h"

struct wk_metric {
    char *name; /* without "bulwark_" */
    char *help;
    char *queue;               /* label, or NULL */
    char *label, *label_value; /* one more, or NULL */
    bool counter;
    uint64_t count; /* of a counter */
    double value;   /* of a gauge */
};

struct wk_metrics {
    const char *queue; /* borrowed: given to the rows added from now on; NULL: none */
    struct wk_metric *rows;
    size_t count, cap;
    bool incomplete;
};

void wk_metrics_fini(struct wk_metrics *metrics);

/* Prometheus text, the rows of one name together in the order of its first row. */
BW_MUSTCHECK int wk_metrics_text(const struct wk_metrics *metrics, struct bw_buf *out);

/* New: {name: value} or {name: {label value: value}}; NULL: out of memory. */
json_t *wk_metrics_json(const struct wk_metrics *metrics);

#endif
