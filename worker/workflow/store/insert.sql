-- § is of worker/workflow/spec/workflow.md.

--- statement insert: every message
-- A new execution. §3.4, §3.9.2
--- $1 execution text
--- $2 project text
--- $3 workflow text
--- $4 version integer
--- $5 session text
--- $6 user text
--- $7 chat text
--- $8 started_at timestamp without time zone
--- $9 parent text: the execution that called it, or NULL
--- $10 job text: its key
--- $11 atm integer: the attempts that the job made
insert into workflow_executions (id, project_id, workflow_id, version, session_id,
        user_id, telegram_chat_id, status, started_at, parent_execution_id, wait_payload)
 values ($1, $2, $3, $4::integer, $5, $6, $7, 'running', $8::timestamp, $9,
  jsonb_build_object('claimedBy', $10::text)
   || @jobs(null::jsonb, $10, $11, null))
 on conflict (id) do nothing
