/* Operations of a scan: each completion posts it to the worker's threads. For
 * scan*.c only. */
#ifndef WORKFLOW_SCAN_IO_H
#define WORKFLOW_SCAN_IO_H

#include "workflow/jobs/scan_run.h"

void wf_scan_post(struct wf_scan *scan, wf_scan_step *step);
/* Sends scan->kv, whose results stay until the next group is begun. */
struct wf_kv *wf_scan_keys(struct wf_scan *scan);
void wf_scan_kv(struct wf_scan *scan, wf_scan_step *step);
/* One statement, one batch. A failure ends the scan, to be tried again; `refused`: what
 * to do where the database will not have it, or NULL for the same. */
void wf_scan_db_list(struct wf_scan *scan, wf_scan_step *then, wf_scan_step *refused,
                     enum wf_sql sql, const char *const *params, size_t count);
#define wf_scan_db(scan, then, refused, sql, ...)                                        \
    wf_scan_db_list((scan), (then), (refused), (sql),                                    \
                    (const char *const[]){ __VA_ARGS__ },                                \
                    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
size_t wf_scan_rows(const struct wf_scan *scan);
const char *wf_scan_value(const struct wf_scan *scan, size_t row, size_t column);

#endif
