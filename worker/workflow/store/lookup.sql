-- § is of worker/workflow/spec/workflow.md.

--- statement lookup: every message
-- What an event may go on with: the customer; the executions that a session, a wait or a
-- reuse can come from (§3.5), the preferred one first; and, for /start, the cancelling of
-- what waits for typing (§3.6.2), whose rows still show the state before.
--
-- Rows that name the job come first, however old (§3.9.2). A row claimed by an attempt of
-- this very job that died counts as waiting. One row at least: all but the first column
-- is NULL where there is no execution.
--- $1 project text
--- $2 chat text
--- $3 reuse_window integer: seconds
--- $4 telegram_id bigint
--- $5 person text: his session prefix in a group; NULL: a private chat
--- $6 preferred text: execution
--- $7 job text: its key
--- $8 is_start boolean: the event is /start
--- $9 begins text: the execution that this attempt would begin
--- gives customer text: id, or NULL
--- gives execution text
--- gives workflow text
--- gives version integer
--- gives session text
--- gives user text
--- gives status text
--- gives wait_type text
--- gives wait_payload jsonb
--- gives node text
--- gives steps integer
--- gives is_preferred boolean
--- gives same_chat boolean
--- gives never_ran boolean
--- gives same_project boolean
with gone as (
 update workflow_executions set status = 'cancelled', finished_at = @now,
        wait_type = null, wait_payload = @jobs_kept(wait_payload)
  where $8::boolean and project_id = $1 and telegram_chat_id = $2 and status = 'waiting'
    and wait_type in ('contact', 'input', 'location', 'poll')
    and strpos(session_id, '_sub_') = 0 and @person($5)
), near as (
 select id, workflow_id, version, session_id, user_id, status, wait_type, wait_payload,
        current_node_id, step_count, started_at, telegram_chat_id, project_id,
        false as preferred
   from workflow_executions
  where project_id = $1 and telegram_chat_id = $2
    and (status = 'waiting' or started_at > @now - make_interval(secs => $3::integer)
         or (status = 'running' and wait_payload ->> 'claimedBy' = $7)
         or @job_is_named(wait_payload, $7))
    and strpos(session_id, '_sub_') = 0 and @person($5)
  order by @job_is_named(wait_payload, $7) is true desc,
           (status = 'waiting' and wait_type is distinct from 'delay') desc,
           started_at desc limit 20
), found as (
 select * from near
 union all
 select id, workflow_id, version, session_id, user_id, status, wait_type, wait_payload,
        current_node_id, step_count, started_at, telegram_chat_id, project_id, true
   from workflow_executions where id = $6
 union all
 select id, workflow_id, version, session_id, user_id, status, wait_type, wait_payload,
        current_node_id, step_count, started_at, telegram_chat_id, project_id, false
   from workflow_executions where id = $9
    and id not in (select id from near)
)
select w.user_id as customer, e.id as execution, e.workflow_id as workflow,
 e.version, e.session_id as session, e.user_id as user,
  case when e.wait_payload ->> 'claimedBy' = $7 then 'waiting' else e.status end
    as status,
  case when e.wait_payload ->> 'claimedBy' = $7 then e.wait_payload ->> 'waitType'
       else e.wait_type end as wait_type,
  e.wait_payload, e.current_node_id as node, coalesce(e.step_count, 0) as steps,
  e.preferred as is_preferred, e.telegram_chat_id = $2 as same_chat,
  e.step_count is null and e.current_node_id is null as never_ran,
  e.project_id = $1 as same_project
  from (select (select id from users where project_id = $1 and telegram_id = $4::bigint)
        as user_id) w left join found e on true
 order by e.preferred desc,
  (e.status = 'waiting' and e.wait_type is distinct from 'delay') desc, e.started_at desc
