-- § is of worker/workflow/spec/workflow.md.

--- statement rehomed: a node
-- What the execution has to say is personal: it goes on in the private chat. §9.6
--- $1 execution text
--- $2 project text
--- $3 chat text
--- $4 session text
update workflow_executions set telegram_chat_id = $3, session_id = $4
 where id = $1 and project_id = $2

--- statement moved: a node
-- The chat has another id now. §9.6
--- $1 execution text
--- $2 project text
--- $3 chat text
update workflow_executions set telegram_chat_id = $3
 where id = $1 and project_id = $2
   and telegram_chat_id is not null and telegram_chat_id <> $3
