-- § is of worker/workflow/spec/workflow.md.

--- statement ledger: a kind of job, reads
-- The row of a scheduled run. §11.4
--- $1 id text
--- gives project text
--- gives workflow text
--- gives version_id text
--- gives user text
--- gives status text
select project_id as project, workflow_id as workflow,
       workflow_version_id as version_id, user_id as user, status::text as status
 from scheduled_workflow_runs where id = $1

--- statement ledger_version: a kind of job, reads
-- The version it is to run. §11.4
--- $1 version_id text
--- $2 workflow text
--- $3 project text
--- gives version integer
--- gives entry text
select v.version, v.entry_node_id as entry from workflow_versions v
  join workflows w on w.id = v.workflow_id
 where v.id = $1 and w.id = $2 and w.project_id = $3

--- statement ledger_person: a kind of job, reads
-- Whom it is for. §11.4
--- $1 user text
--- $2 project text
--- gives telegram_id text
--- gives username text
--- gives first_name text
select telegram_id::text as telegram_id, telegram_username as username, first_name
  from users
 where id = $1 and project_id = $2

--- statement ledger_before: a kind of job, reads
-- The newest execution of the same row of the ledger. §11.4
--- $1 project text
--- $2 version_id text
--- $3 user text
--- $4 ledger text
--- gives status text
--- gives wait_type text
--- gives wait_payload jsonb
--- gives node text
--- gives steps integer
--- gives workflow text
--- gives execution text
select e.status, e.wait_type, e.wait_payload, e.current_node_id as node,
  coalesce(e.step_count, 0) as steps, e.workflow_id as workflow, e.id as execution
  from workflow_versions v join workflow_executions e
    on e.project_id = $1
   and e.session_id = 'scheduled_' || v.entry_node_id || '_' || $3 || '_' || $4
 where v.id = $2 order by e.started_at desc limit 1

--- statement ledger_begin: a kind of job
-- An attempt begins; one that was put back is not counted again. §11.4
--- $1 id text
--- $2 atm integer: the attempts made as the queue counts them
update scheduled_workflow_runs set status = 'RUNNING', attempts = case
  when status = 'RUNNING' then greatest(attempts, $2::integer + 1)
  else attempts + 1 end,
  started_at = @now, completed_at = null, last_error = null, updated_at = @now
 where id = $1 and status <> 'COMPLETED'

--- statement ledger_end: a kind of job
-- It ends. §11.4
--- $1 id text
--- $2 status text
--- $3 error text: or NULL
update scheduled_workflow_runs set status = $2::text::"ScheduledWorkflowRunStatus",
  completed_at = case when $2 = 'COMPLETED' then @now end,
  last_error = left($3, 2000), updated_at = @now
 where id = $1 and status <> 'COMPLETED'
