/* What the daemon tells about itself: health, readiness, state, figures.
 *
 * From any thread but the reactor's, while the app runs; never blocks on a dependency. */
#ifndef WORKER_STATUS_H
#define WORKER_STATUS_H

#include <stdbool.h>

#include <jansson.h>

#include <bulwark/buf.h>

struct wk_app;

/* Each returns a new JSON object, or NULL when memory is out, and the verdict in `ok`. */

/* The process lives and its loops turn. */
json_t *wk_status_health(struct wk_app *app, bool *ok);
/* Redis and, where it is used, PostgreSQL can be reached, and the worker takes jobs; else
 * "reasons". */
json_t *wk_status_ready(struct wk_app *app, bool *ok);

/* Queues, slots, connections, counters. */
json_t *wk_status_json(struct wk_app *app);
/* Prometheus text. */
BW_MUSTCHECK int wk_status_metrics(struct wk_app *app, struct bw_buf *out);
/* The same to the log. */
void wk_status_log(struct wk_app *app);

#endif
