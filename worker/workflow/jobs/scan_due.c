/* Which versions are due: their entry node is a schedule trigger whose cron matches. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bulwark/cron.h>

#include "workflow/language/graph.h"
#include "workflow/base/mem.h"
#include "workflow/jobs/scan_due.h"
#include "workflow/jobs/scan_io.h"
#include "workflow/jobs/scan_run.h"
#include "workflow/base/map.h"
#include "workflow/language/minute_cron.h"
#include "workflow/language/schedule.h"

#define WARNED_MAX 1000

/* Once a version, not once a minute. */
static void complain(struct wf_scan *scan, const char *version, const char *reason)
{
    if (wf_map_get(&scan->warned, version) != NULL)
        return;
    if (scan->warned.count >= WARNED_MAX)
        wf_map_fini(&scan->warned, NULL);
    wf_map_put(&scan->warned, version, scan);
    bw_log(scan->engine->log, BW_LOG_WARNING, "schedule: a trigger is skipped",
           bw_text("version", version), bw_text("reason", reason));
}

/* Only IANA's names, not the offsets that the library takes besides. */
static int local_minute(const char *zone, int64_t seconds, struct wf_minute *at,
                        struct bw_error *err)
{
    int32_t offset = 0;
    int rc;

    if (strncasecmp(zone, "UTC", 3) == 0 && zone[3] != '\0')
        return bw_error_set(err, BW_EINVAL, "tz: there is no zone \"%.64s\"", zone);
    rc = bw_cron_offset(zone, seconds, &offset, err);
    if (rc == BW_OK)
        *at = wf_minute_of(seconds + offset);
    return rc;
}

static void take_due(struct wf_scan *scan, size_t row, const struct wf_schedule *schedule)
{
    struct wf_due *due = &scan->dues[scan->due_count++];
    int64_t seconds = scan->minute * 60;

    due->version = wf_strdup(wf_scan_value(scan, row, WF_COL_scan_versions_id));
    due->workflow = wf_strdup(wf_scan_value(scan, row, WF_COL_scan_versions_workflow));
    due->project = wf_strdup(wf_scan_value(scan, row, WF_COL_scan_versions_project));
    due->birthdays = schedule->birthdays;
    due->birthday = wf_schedule_birthday(schedule, seconds);
    wf_schedule_bucket(schedule, seconds, due->bucket);
}

static void look_at(struct wf_scan *scan, size_t row, const struct wf_node *entry)
{
    struct wf_schedule schedule;
    struct wf_minute at = { 0 };
    struct bw_error err = { 0 };
    int rc;

    if (entry == NULL || strcmp(entry->type, "trigger.schedule") != 0 ||
        !entry->has_config)
        return;
    rc = wf_schedule_read(&schedule, entry->config, &err);
    if (rc == BW_OK)
        rc = local_minute(schedule.timezone, scan->minute * 60, &at, &err);
    if (rc != BW_OK)
        complain(scan, wf_scan_value(scan, row, WF_COL_scan_versions_id), err.text);
    else if (wf_cron_matches(&schedule.cron, &at))
        take_due(scan, row, &schedule);
}

static void take_version(struct wf_scan *scan, size_t row)
{
    struct wf_graph_source source = {
        .version_id = wf_scan_value(scan, row, WF_COL_scan_versions_id),
        .workflow_id = wf_scan_value(scan, row, WF_COL_scan_versions_workflow),
        .project_id = wf_scan_value(scan, row, WF_COL_scan_versions_project),
        .entry_node_id = wf_scan_value(scan, row, WF_COL_scan_versions_entry),
        .nodes = wf_scan_value(scan, row, WF_COL_scan_versions_nodes),
        .connections = "[]"
    };
    struct wf_graph *graph;
    struct bw_error err = { 0 };

    if (wf_graph_create(&graph, &source, &err) != BW_OK) {
        complain(scan, source.version_id, err.text);
        return;
    }
    look_at(scan, row, graph->entry);
    wf_graph_unref(&graph);
}

void wf_scan_take_versions(struct wf_scan *scan)
{
    size_t rows = wf_scan_rows(scan);

    wf_scan_drop_versions(scan);
    scan->more_versions = rows == WF_NUM_scan_versions;
    for (size_t i = 0; i < rows && i < WF_NUM_scan_versions; i++)
        take_version(scan, i);
    if (rows > 0)
        wf_set(&scan->after_version,
               wf_scan_value(scan, rows - 1, WF_COL_scan_versions_id));
}

void wf_scan_drop_versions(struct wf_scan *scan)
{
    for (size_t i = 0; i < scan->due_count; i++) {
        free(scan->dues[i].version);
        free(scan->dues[i].workflow);
        free(scan->dues[i].project);
    }
    scan->due_count = scan->due_at = 0;
}
