-- § is of worker/workflow/spec/workflow.md.

--- statement claim: every message
-- A waiting execution goes on: exactly one worker wins. §3.7.1
--
-- The payload stays, marked with the job, until the flush: an attempt that dies here is
-- continued by the next one, which finds its own mark.
--- $1 project text
--- $2 chat text
--- $3 preferred text: execution
--- $4 other text: the other candidate
--- $5 wait_types text[]
--- $6 job text: its key
--- $7 telegram_id bigint
--- $8 person text: his session prefix in a group
--- $9 atm text: the attempts that the job made
--- gives execution text
--- gives session text
--- gives workflow text
--- gives version integer
--- gives user text: else the customer of that Telegram id
--- gives steps integer
--- gives wait_type text
--- gives wait_payload jsonb
--- gives node text
-- No row: someone else was faster.
update workflow_executions e
   set status = 'running', wait_type = null,
       wait_payload = coalesce(o.payload, '{}'::jsonb)
         || jsonb_build_object('claimedBy', $6::text, 'waitType', o.wait_type)
         || @jobs(o.payload, $6, $9, null)
  from (select id, coalesce(wait_type, wait_payload ->> 'waitType') as wait_type,
               case when jsonb_typeof(wait_payload) = 'object' then wait_payload end
               as payload
          from workflow_executions
         where id in ($3, $4) and project_id = $1 and telegram_chat_id = $2
           and ((status = 'waiting' and wait_type = any ($5::text[]))
                or (status = 'running' and wait_payload ->> 'claimedBy' = $6))
           and not @job_is_over(wait_payload, $6, $9) and @person($8)
         order by id = $3 desc limit 1 for update) o
 where e.id = o.id
 returning e.id as execution, e.session_id as session, e.workflow_id as workflow,
  e.version,
  coalesce(e.user_id, (select u.id from users u where u.project_id = $1
                        and u.telegram_id = $7::bigint)) as user,
  coalesce(e.step_count, 0) as steps, o.wait_type,
  o.payload - '{claimedBy,waitType,jobs}'::text[] as wait_payload,
  e.current_node_id as node
