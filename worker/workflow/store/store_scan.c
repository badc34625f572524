/* SQL of the scan for scheduled runs. §11.2, §11.3 */
#include "workflow/store/store_text.h"

#define PAGE     "1000" /* WF_SCAN_CUSTOMERS */
#define VERSIONS "50"   /* WF_SCAN_VERSIONS */

/* Active versions that may begin with a schedule trigger, by id. $1 after it. 0 id, 1
 * workflow, 2 project, 3 nodes, 4 entry */
const char wf_sql_scan_versions[] =
    "select v.id, v.workflow_id, w.project_id, v.nodes, v.entry_node_id"
    "  from workflow_versions v join workflows w on w.id = v.workflow_id"
    " where v.is_active and w.is_active and v.id > $1"
    "   and strpos(v.nodes::text, 'trigger.schedule') > 0"
    " order by v.id limit " VERSIONS;

/* $1 project, $2 month, $3 day, $4 after this id. 0 id */
const char wf_sql_scan_birthdays[] =
    "select id from users where project_id = $1 and is_active and birth_date is not null"
    "   and extract(month from birth_date) = $2::integer"
    "   and extract(day from birth_date) = $3::integer and id > $4"
    " order by id limit " PAGE;

/* $1 project, $2 after this id. 0 id */
const char wf_sql_scan_customers[] =
    "select id from users where project_id = $1 and is_active and id > $2"
    " order by id limit " PAGE;

#define LEDGER_COLUMNS " id, project_id, workflow_id, workflow_version_id, user_id"

/* New rows, and those whose job could not be added; others are left alone and not
 * returned. $1 project, $2 workflow, $3 version id, $4 bucket, $5 [[id, user], …] */
const char wf_sql_scan_claim[] =
    "insert into scheduled_workflow_runs as r"
    "  (id, project_id, workflow_id, workflow_version_id, user_id, bucket, status,"
    "   queued_at, updated_at)"
    " select row ->> 0, $1, $2, $3, row ->> 1, $4, 'QUEUED', " NOW ", " NOW
    "   from jsonb_array_elements($5::jsonb) row"
    " on conflict (workflow_id, workflow_version_id, user_id, bucket) do update"
    "  set status = 'QUEUED', queued_at = " NOW ", last_error = null, updated_at = " NOW
    "  where r.status = 'FAILED' and r.attempts = 0"
    " returning" LEDGER_COLUMNS;

/* Rows that wait for a job to begin with them, by id; an id that no job can have is none
 * of ours. $1 after it. Columns as above. */
const char wf_sql_scan_claimed[] =
    "select" LEDGER_COLUMNS " from scheduled_workflow_runs"
    " where status = 'QUEUED' and attempts = 0 and queued_at > " NOW
    " - interval '1 day' and id > $1 and id ~ '^[A-Za-z0-9_-]+$'"
    " order by id limit " PAGE;

/* Their jobs could not be added. $1 [id, …], $2 error */
const char wf_sql_scan_unqueued[] =
    "update scheduled_workflow_runs set status = 'FAILED', last_error = left($2, 2000),"
    "  updated_at = " NOW
    " where id in (select jsonb_array_elements_text($1::jsonb)) and status = 'QUEUED'"
    "   and attempts = 0";
