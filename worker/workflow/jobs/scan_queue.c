/* Rows of the ledger become jobs, each under its row's id: however often a row is tried,
 * the queue takes it once. worker/workflow/spec/workflow.md §1.2, §1.3, §11.3 */
#include <stdlib.h>

#include "workflow/base/fault_point.h"
#include "workflow/base/mem.h"
#include "workflow/jobs/scan_io.h"
#include "workflow/jobs/scan_queue.h"
#include "workflow/jobs/scan_run.h"

static wf_scan_step recover_page, page_there, page_added, enqueued, marked;

/* --- rows without their job */

void wf_scan_recover(struct wf_scan *scan, wf_scan_step *then)
{
    scan->recovered = then;
    wf_set(&scan->after, "");
    recover_page(scan);
}

static void recover_page(struct wf_scan *scan)
{
    wf_scan_db(scan, page_there, NULL, WF_SQL_scan_claimed, scan->after);
}

static void page_there(struct wf_scan *scan)
{
    size_t rows = wf_scan_rows(scan);

    scan->more = rows == WF_NUM_scan_customers;
    if (rows > 0)
        wf_set(&scan->after, wf_scan_value(scan, rows - 1, WF_COL_scan_claim_id));
    wf_scan_enqueue(scan, page_added);
}

static void page_added(struct wf_scan *scan)
{
    if (scan->more)
        recover_page(scan);
    else
        wf_scan_post(scan, scan->recovered);
}

static char *job_data(const struct wf_scan *scan, size_t row)
{
    json_t *data = wf_must(json_object());
    char *text;

    wf_json_set_text(data, "type", "scheduled_workflow_execution");
    wf_json_set_text(data, "ledgerRunId", wf_scan_value(scan, row, WF_COL_scan_claim_id));
    wf_json_set_text(data, "projectId",
                     wf_scan_value(scan, row, WF_COL_scan_claim_project));
    wf_json_set_text(data, "workflowId",
                     wf_scan_value(scan, row, WF_COL_scan_claim_workflow));
    wf_json_set_text(data, "workflowVersionId",
                     wf_scan_value(scan, row, WF_COL_scan_claim_version_id));
    wf_json_set_text(data, "userId", wf_scan_value(scan, row, WF_COL_scan_claim_user));
    wf_json_set(data, "timestamp", json_integer(wf_engine_now_ms(scan->engine)));
    text = wf_dumps(data);
    json_decref(data);
    return text;
}

/* The id has no character that JSON or a job's id would mind. */
static char *job_opts(const char *id)
{
    return wf_printf("{\"jobId\":\"scheduled-%s\",\"priority\":1,\"attempts\":3,"
                     "\"backoff\":{\"type\":\"exponential\",\"delay\":5000},"
                     "\"removeOnComplete\":1000,\"removeOnFail\":1000}",
                     id);
}

/* On the reactor, or from inside of the call. */
static void added(const char *const *ids, const char *error, void *arg)
{
    struct wf_scan *scan = arg;

    for (size_t i = 0; i < json_array_size(scan->ids); i++) {
        if (ids == NULL || ids[i] == NULL)
            wf_check(json_array_append(scan->lost, json_array_get(scan->ids, i)) == 0
                         ? BW_OK
                         : BW_ENOMEM);
    }
    wf_set(&scan->error, error != NULL ? error : "");
    wf_scan_post(scan, enqueued);
}

static void enqueued(struct wf_scan *scan)
{
    size_t lost = json_array_size(scan->lost);
    char *ids;

    scan->queued += json_array_size(scan->ids) - lost;
    if (lost == 0) {
        scan->after_add(scan);
        return;
    }
    bw_log(scan->engine->log, BW_LOG_WARNING, "schedule: jobs could not be added",
           bw_num("count", (int64_t)lost), bw_text("reason", scan->error));
    ids = wf_dumps(scan->lost);
    wf_scan_db(scan, marked, NULL, WF_SQL_scan_unqueued, ids, scan->error);
    free(ids);
}

static void marked(struct wf_scan *scan)
{
    scan->failed(scan);
}

static void add(struct wf_scan *scan, size_t rows)
{
    const struct wf_effects *effects = scan->engine->effects;
    struct wf_new_job *jobs = wf_alloc(rows * sizeof(*jobs));
    char **texts = wf_alloc(2 * rows * sizeof(*texts));

    json_decref(scan->ids);
    json_decref(scan->lost);
    scan->ids = wf_must(json_array());
    scan->lost = wf_must(json_array());
    for (size_t i = 0; i < rows; i++) {
        const char *id = wf_scan_value(scan, i, WF_COL_scan_claim_id);

        jobs[i].data = texts[2 * i] = job_data(scan, i);
        jobs[i].opts = texts[2 * i + 1] = job_opts(id);
        wf_check(json_array_append_new(scan->ids, wf_text(id)) == 0 ? BW_OK : BW_ENOMEM);
    }
    effects->add_jobs(effects->arg, scan->engine->queue, "scheduled_workflow_execution",
                      jobs, rows, added, scan);
    for (size_t i = 0; i < 2 * rows; i++)
        free(texts[i]);
    free(texts);
    free(jobs);
}

void wf_scan_enqueue(struct wf_scan *scan, wf_scan_step *then)
{
    size_t rows = wf_scan_rows(scan);

    scan->after_add = then;
    if (rows == 0) {
        then(scan);
        return;
    }
    wf_fault_point("claimed");
    add(scan, rows);
}
