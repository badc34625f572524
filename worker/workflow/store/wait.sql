-- § is of worker/workflow/spec/workflow.md.

--- part claim_when(condition)
-- The claim, exactly one job wins; the payload stays with the job's mark, as in `claim`.
update workflow_executions e
   set status = 'running', wait_type = null,
       wait_payload = coalesce(o.payload, '{}'::jsonb)
         || jsonb_build_object('claimedBy', $4::text, 'waitType', o.wait_type)
         || @jobs(o.payload, $4, $5, null)
  from (select id, wait_type,
               case when jsonb_typeof(wait_payload) = 'object' then wait_payload end
               as payload
          from workflow_executions where id = $1 and project_id = $2
           and ((status = 'waiting' and @condition)
                or (status = 'running' and wait_payload ->> 'claimedBy' = $4))
           and not @job_is_over(wait_payload, $4, $5) for update) o
  left join lateral (select u.telegram_id, u.telegram_username, u.first_name
      from users u, workflow_executions x
     where x.id = o.id and u.id = x.user_id) p on true
 where e.id = o.id
 returning e.session_id as session, e.workflow_id as workflow, e.version,
  e.user_id as user, coalesce(e.step_count, 0) as steps,
  o.payload - '{claimedBy,waitType,jobs}'::text[] as payload,
  e.telegram_chat_id as chat, p.telegram_id::text as telegram_id,
  p.telegram_username as username, p.first_name, e.current_node_id as node

--- statement delayed: a kind of job
-- The delay of a job is over. §3.9.4
--- $1 execution text
--- $2 project text
--- $3 queue_id text: of the job
--- $4 job text: its key
--- $5 atm text: the attempts that the job made
--- gives session text
--- gives workflow text
--- gives version integer
--- gives user text
--- gives steps integer
--- gives payload jsonb
--- gives chat text
--- gives telegram_id text: of the user
--- gives username text
--- gives first_name text
--- gives node text
-- No row: it does not wait for this job.
@claim_when(wait_type = 'delay' and coalesce(wait_payload ->> 'jobId', $3) = $3)

--- statement expired: a kind of job
-- A wait has lasted too long. §3.9.4
--- $1 execution text
--- $2 project text
--- $3 node text: the one that waits
--- $4 job text: its key
--- $5 atm text: the attempts that the job made
--- gives the columns of delayed
-- No row: it does not wait for this job.
@claim_when(wait_type is distinct from 'delay' and current_node_id = $3
 and wait_payload ->> 'expiresAt' <= @iso(@now))
