/* Operations of a scan: each completion posts it to the worker's threads. */
#include "workflow/jobs/scan_io.h"

#include <stddef.h>

#include "workflow/jobs/scan_run.h"

static wf_scan_step db_settled;

static void run_task(struct bw_task *task)
{
    struct wf_scan *scan =
        (struct wf_scan *)(void *)((char *)task - offsetof(struct wf_scan, task));

    scan->step(scan);
}

void wf_scan_post(struct wf_scan *scan, wf_scan_step *step)
{
    const struct wf_effects *effects = scan->engine->effects;

    scan->task.run = run_task;
    scan->step = step;
    effects->post(effects->arg, &scan->task);
}

struct wf_kv *wf_scan_keys(struct wf_scan *scan)
{
    wf_kv_clear(&scan->kv);
    return &scan->kv;
}

static void kv_done(struct wf_kv *kv, void *arg)
{
    struct wf_scan *scan = arg;

    (void)kv; /* the scan's own */
    wf_scan_post(scan, scan->step);
}

void wf_scan_kv(struct wf_scan *scan, wf_scan_step *step)
{
    scan->step = step;
    wf_kv_submit(&scan->engine->keys, &scan->kv, kv_done, scan);
}

static void db_done(struct wf_batch *batch, void *arg)
{
    struct wf_scan *scan = arg;

    bw_mutex_lock(&scan->mutex);
    scan->call = 0;
    bw_mutex_unlock(&scan->mutex);
    scan->batch = batch;
    wf_scan_post(scan, db_settled);
}

static void db_settled(struct wf_scan *scan)
{
    const struct wf_effects *effects = scan->engine->effects;
    enum wf_db_outcome outcome = effects->batch_outcome(scan->batch);

    if (outcome == WF_DB_OK) {
        scan->db_then(scan);
        return;
    }
    bw_log(scan->engine->log, outcome == WF_DB_REFUSED ? BW_LOG_ERROR : BW_LOG_WARNING,
           "schedule: the database failed",
           bw_text("sqlstate", effects->batch_sqlstate(scan->batch)),
           bw_text("reason", effects->batch_message(scan->batch)));
    if (outcome == WF_DB_REFUSED && scan->on_refused != NULL)
        scan->on_refused(scan);
    else
        scan->failed(scan);
}

void wf_scan_db_list(struct wf_scan *scan, wf_scan_step *then, wf_scan_step *refused,
                     enum wf_sql sql, const char *const *params, size_t count)
{
    const struct wf_effects *effects = scan->engine->effects;
    struct wf_batch *batch = effects->batch_create(effects->arg);

    (void)effects->batch_add(batch, sql, params, count); /* the only one */
    effects->batch_destroy(&scan->batch);
    scan->db_then = then;
    scan->on_refused = refused;
    bw_mutex_lock(&scan->mutex); /* the completion waits until its call is known */
    scan->call = effects->batch_submit(
        effects->arg, batch, scan->engine->settings.db_timeout_ms, db_done, scan);
    if (scan->stopped)
        effects->cancel(effects->arg, WF_CALL_DB, scan->call);
    bw_mutex_unlock(&scan->mutex);
}

size_t wf_scan_rows(const struct wf_scan *scan)
{
    return scan->engine->effects->batch_rows(scan->batch, 0);
}

const char *wf_scan_value(const struct wf_scan *scan, size_t row, size_t column)
{
    return scan->engine->effects->batch_value(scan->batch, 0, row, column);
}
