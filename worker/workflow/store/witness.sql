-- § is of worker/workflow/spec/workflow.md.

--- statement witness: every message, reads
-- What the row says of its jobs. §3.9.2
--- $1 execution text
--- $2 project text
--- gives status text
--- gives wait_type text
--- gives wait_payload jsonb
--- gives node text
--- gives steps integer
--- gives session text
--- gives workflow text
-- No row: there is none.
select status, wait_type, wait_payload, current_node_id as node,
  coalesce(step_count, 0) as steps, session_id as session, workflow_id as workflow
  from workflow_executions where id = $1 and project_id = $2

--- statement keep: every message
-- The checkpoint of a run that goes on without Redis. §3.9.2
--- $1 execution text
--- $2 project text
--- $3 job text: its key
--- $4 atm integer: the attempts that the job made
--- $5 checkpoint jsonb
--- $6 node text
--- $7 steps integer
--- $8 number bigint: of the checkpoint
--- gives kept integer
-- No row: another run is further, or the row is somebody else's.
update workflow_executions e
   set wait_payload = case when jsonb_typeof(wait_payload) = 'object'
         then wait_payload else '{}'::jsonb end
         || jsonb_build_object('claimedBy', $3::text, 'checkpoint', $5::jsonb)
         || @jobs(wait_payload, $3, $4, null),
       current_node_id = $6, step_count = $7::integer
 where id = $1 and project_id = $2 and status = 'running' and @ours($3, < $8)
 returning 1 as kept

--- statement claim_again: every message
-- The claim that a database which has come back older does not know of any more. §3.9.2
--- $1 execution text
--- $2 project text
--- $3 job text: its key
--- $4 atm integer: the attempts that the job made
--- $5 steps bigint: of the execution when it was claimed
--- gives claimed integer
-- No row: somebody else has it.
update workflow_executions e
   set status = 'running', wait_type = null,
       wait_payload = case when jsonb_typeof(wait_payload) = 'object'
         then wait_payload else '{}'::jsonb end
         || jsonb_build_object('claimedBy', $3::text, 'waitType', wait_type)
         || @jobs(wait_payload, $3, $4, null)
 where id = $1 and project_id = $2 and status = 'waiting'
   and coalesce(step_count, 0) <= $5::bigint
 returning 1 as claimed
