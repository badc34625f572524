-- § is of worker/workflow/spec/workflow.md.

--- number scan_versions 50: in one answer
--- number scan_customers 1000: in one answer; rows of the ledger, too

--- part ledger_columns
id, project_id as project, workflow_id as workflow, workflow_version_id as version_id,
 user_id as user

--- statement scan_versions: a node
-- Active versions that may begin with a schedule trigger, by id. §11.2
--- $1 after text: this id
--- gives id text
--- gives workflow text
--- gives project text
--- gives nodes jsonb
--- gives entry text
select v.id, v.workflow_id as workflow, w.project_id as project, v.nodes,
       v.entry_node_id as entry
  from workflow_versions v join workflows w on w.id = v.workflow_id
 where v.is_active and w.is_active and v.id > $1
   and strpos(v.nodes::text, 'trigger.schedule') > 0
 order by v.id limit @scan_versions

--- statement scan_birthdays: a node
-- A page of customers whose birthday it is, by id. §11.2
--- $1 project text
--- $2 month integer
--- $3 day integer
--- $4 after text: this id
--- gives the columns of scan_customers
select id from users where project_id = $1 and is_active and birth_date is not null
   and extract(month from birth_date) = $2::integer
   and extract(day from birth_date) = $3::integer and id > $4
 order by id limit @scan_customers

--- statement scan_customers: a node
-- A page of customers, by id. §11.2
--- $1 project text
--- $2 after text: this id
--- gives id text
select id from users where project_id = $1 and is_active and id > $2
 order by id limit @scan_customers

--- statement scan_claim: a node
-- New rows of the ledger, and those whose job could not be added; others are left alone
-- and not returned. §11.3
--- $1 project text
--- $2 workflow text
--- $3 version_id text
--- $4 bucket text
--- $5 people jsonb: [[id, user], …]
--- gives id text
--- gives project text
--- gives workflow text
--- gives version_id text
--- gives user text
insert into scheduled_workflow_runs as r
  (id, project_id, workflow_id, workflow_version_id, user_id, bucket, status,
   queued_at, updated_at)
 select row ->> 0, $1, $2, $3, row ->> 1, $4, 'QUEUED', @now, @now
   from jsonb_array_elements($5::jsonb) row
 on conflict (workflow_id, workflow_version_id, user_id, bucket) do update
  set status = 'QUEUED', queued_at = @now, last_error = null, updated_at = @now
  where r.status = 'FAILED' and r.attempts = 0
 returning @ledger_columns

--- statement scan_claimed: a node
-- A page of rows that wait for a job to begin with them, by id; an id that no job can
-- have is none of ours. §11.3
--- $1 after text: this id
--- gives the columns of scan_claim
select @ledger_columns from scheduled_workflow_runs
 where status = 'QUEUED' and attempts = 0 and queued_at > @now - interval '1 day'
   and id > $1 and id ~ '^[A-Za-z0-9_-]+$'
 order by id limit @scan_customers

--- statement scan_unqueued: a node
-- Their jobs could not be added. §11.3
--- $1 ids jsonb
--- $2 error text
update scheduled_workflow_runs set status = 'FAILED', last_error = left($2, 2000),
  updated_at = @now
 where id in (select jsonb_array_elements_text($1::jsonb)) and status = 'QUEUED'
   and attempts = 0
