/* SQL of scheduled runs and their ledger. §11.4 */
#include "workflow/store/store_text.h"

/* $1 id. 0 project, 1 workflow, 2 version id, 3 user, 4 status */
const char wf_sql_ledger[] =
    "select project_id, workflow_id, workflow_version_id, user_id, status::text"
    " from scheduled_workflow_runs where id = $1";

/* $1 version id, $2 workflow, $3 project. 0 version, 1 entry node */
const char wf_sql_ledger_version[] =
    "select v.version, v.entry_node_id from workflow_versions v"
    "  join workflows w on w.id = v.workflow_id"
    " where v.id = $1 and w.id = $2 and w.project_id = $3";

/* $1 user, $2 project. 0 Telegram id, 1 its user name, 2 first name */
const char wf_sql_ledger_person[] =
    "select telegram_id::text, telegram_username, first_name from users"
    " where id = $1 and project_id = $2";

/* The newest execution of the same ledger row. $1 project, $2 version id, $3 user, $4
 * ledger row. 0 status, 1 wait type, 2 wait payload, 3 current node, 4 step count, 5
 * workflow, 6 id */
const char wf_sql_ledger_before[] =
    "select e.status, e.wait_type, e.wait_payload, e.current_node_id,"
    "  coalesce(e.step_count, 0), e.workflow_id, e.id from workflow_versions v join "
    "workflow_executions e"
    "    on e.project_id = $1"
    "   and e.session_id = 'scheduled_' || v.entry_node_id || '_' || $3 || '_' || $4"
    " where v.id = $2 order by e.started_at desc limit 1";

/* An attempt begins. $1 id, $2 attempts made as the queue counts them: one that was put
 * back is not counted again. */
const char wf_sql_ledger_begin[] =
    "update scheduled_workflow_runs set status = 'RUNNING', attempts = case"
    "  when status = 'RUNNING' then greatest(attempts, $2::integer + 1)"
    "  else attempts + 1 end,"
    "  started_at = " NOW ", completed_at = null, last_error = null, updated_at = " NOW
    " where id = $1 and status <> 'COMPLETED'";

/* It ends. $1 id, $2 status, $3 error or NULL */
const char wf_sql_ledger_end[] =
    "update scheduled_workflow_runs set status = "
    "$2::text::\"ScheduledWorkflowRunStatus\","
    "  completed_at = case when $2 = 'COMPLETED' then " NOW " end,"
    "  last_error = left($3, 2000), updated_at = " NOW
    " where id = $1 and status <> 'COMPLETED'";
