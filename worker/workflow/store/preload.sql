-- § is of worker/workflow/spec/workflow.md.

--- part variables
select scope, key, value, updated_at, id from workflow_variables

--- part alive
(expires_at is null or expires_at > @now)

--- statement preload: every message, reads
-- The variables a run can see, one branch a scope so that each can use an index. §6.2
--
-- $4 is NULL: the user of execution $6, or, if that is NULL too, the customer of
-- Telegram id $5.
--- $1 project text
--- $2 workflow text
--- $3 session text
--- $4 user text
--- $5 telegram_id bigint
--- $6 execution text
--- gives scope text
--- gives key text
--- gives value jsonb
with who as materialized (
 select coalesce($4::text,
   (select user_id from workflow_executions where id = $6),
   (select id from users where project_id = $1 and telegram_id = $5::bigint)) as id
)
select distinct on (scope, key) scope, key, value from (
 @variables where project_id = $1 and workflow_id = $2 and session_id = $3
    and scope = 'session' and user_id is null and @alive
 union all
 @variables where project_id = $1 and workflow_id = $2 and session_id = $3
    and scope = 'session' and user_id = (select id from who) and @alive
 union all
 @variables where project_id = $1 and scope = 'user'
    and user_id = (select id from who) and @alive
 union all
 @variables where project_id = $1 and scope = 'project' and workflow_id = $2 and @alive
 union all
 @variables where project_id = $1 and scope = 'global' and @alive
 ) r order by scope, key, updated_at desc, id desc
