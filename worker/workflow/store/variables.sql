-- § is of worker/workflow/spec/workflow.md.

--- statement set_variable: a node
-- A variable of the scopes user, project and global; all rows that match are written.
-- §6.2
--- $1 project text
--- $2 workflow text
--- $3 user text
--- $4 scope text: user, project or global
--- $5 key text
--- $6 value jsonb
--- $7 ttl integer: seconds, or NULL
with upd as (
 update workflow_variables set value = $6::jsonb, updated_at = @now,
        expires_at = @now + make_interval(secs => $7::integer)
  where project_id = $1 and scope = $4 and key = $5
    and ($4 <> 'user' or user_id = $3) and ($4 <> 'project' or workflow_id = $2)
 returning id)
 insert into workflow_variables (project_id, workflow_id, user_id, scope, key, value,
        expires_at, created_at, updated_at)
 select $1, case when $4 <> 'global' then $2 end, case when $4 = 'user' then $3 end, $4,
        $5, $6::jsonb, @now + make_interval(secs => $7::integer), @now, @now
  where not exists (select 1 from upd)

--- statement purge: a node
-- Variables that have expired. §3.10, last sentence
--- $1 project text
delete from workflow_variables where project_id = $1 and expires_at <= @now
