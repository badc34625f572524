-- § is of worker/workflow/spec/workflow.md.

--- statement flush: every message
-- The end of a run's stretch, all at once: variables, log, what it supersedes, its row.
-- §3.10
--
-- Everything hangs on the row being in the state `running`, with nobody else's mark, and
-- no further than the run: a flush that is repeated, because its answer was lost or its
-- job was redelivered, changes nothing the second time.
--- $1 project text
--- $2 workflow text
--- $3 user text
--- $4 session text
--- $5 execution text
--- $6 variables jsonb
--- $7 logs jsonb
--- $8 status text
--- $9 error text
--- $10 steps integer
--- $11 node text
--- $12 wait_type text
--- $13 wait_payload jsonb
--- $14 supersedes boolean
--- $15 reuse_window integer: seconds
--- $16 job text: its key
--- $17 atm integer: the attempts that the job made
--- $18 result jsonb: of the job, NULL while it goes on
--- $19 checkpoint bigint: the number of the last one that the run made
--- gives only_one boolean: the execution is over, the next may go on with its session,
-- and nothing else of the chat is open
-- No row: it was not running.
with live as materialized (
 select id from workflow_executions where id = $5 and project_id = $1
    and session_id = $4 and status = 'running' and @ours($16, <= $19) for update
), v as (
 select key, coalesce(value, 'null'::jsonb) as value, expires_at
   from jsonb_to_recordset($6::jsonb) as r(key text, value jsonb, expires_at timestamp)
  where exists (select 1 from live)
), upd as (
 update workflow_variables t set value = v.value, expires_at = v.expires_at,
        updated_at = @now
   from v
  where t.project_id = $1 and t.workflow_id = $2 and (t.user_id = $3 or t.user_id is null)
    and t.session_id = $4 and t.scope = 'session' and t.key = v.key
 returning t.key
), ins as (
 insert into workflow_variables (project_id, workflow_id, user_id, session_id, scope, key,
        value, expires_at, created_at, updated_at)
 select $1, $2, $3, $4, 'session', v.key, v.value, v.expires_at, @now, @now
   from v where not exists (select 1 from upd where upd.key = v.key)
), logs as (
 insert into workflow_logs (execution_id, step, node_id, node_type, branch_key, status,
        "timestamp", level, message, error, duration_ms, duration, data, input_data,
        output_data, http_request, http_response)
 select $5, l.step, l.node_id, l.node_type, l.branch_key, l.status, l.ts, l.level,
        l.message, l.error, l.duration_ms, l.duration_ms, l.data, l.input_data,
        l.output_data, l.http_request, l.http_response
   from jsonb_to_recordset($7::jsonb) as l(step int, node_id text, node_type text,
        branch_key text, status text, ts timestamp, level text, message text, error jsonb,
        duration_ms int, data jsonb, input_data jsonb, output_data jsonb,
        http_request jsonb, http_response jsonb)
  where exists (select 1 from live) order by l.ts
), superseded as (
 update workflow_executions set status = 'cancelled', finished_at = @now,
        wait_type = null, wait_payload = @jobs_kept(wait_payload)
  where $14::boolean and project_id = $1 and session_id = $4 and status = 'waiting'
    and wait_type is distinct from 'delay' and id <> $5
    and exists (select 1 from live)
)
update workflow_executions e
   set status = $8, error = $9, step_count = $10::integer, current_node_id = $11,
       wait_type = $12, wait_payload = coalesce($13::jsonb, '{}'::jsonb)
         || @jobs(e.wait_payload, $16, $17, $18),
       user_id = coalesce($3, e.user_id),
       finished_at = case when $8 in ('completed', 'failed', 'cancelled') then @now end
  from live where e.id = live.id
 returning $8 = 'completed'
   and e.started_at > @now - make_interval(secs => $15::integer - 60)
   and not exists (select 1 from workflow_executions o
        where o.project_id = $1 and o.telegram_chat_id = e.telegram_chat_id
          and o.status in ('waiting', 'running') and o.id <> e.id)
   as only_one
