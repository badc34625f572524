-- § is of worker/workflow/spec/workflow.md.

--- statement notify: a node
-- A notification for the customer of the run, else for who has the e-mail. §5.3.5
--- $1 id text
--- $2 project text
--- $3 user text: or NULL
--- $4 email text: or NULL
--- $5 title text
--- $6 message text
--- $7 metadata jsonb
--- gives id text
-- No row: nobody.
insert into notifications (id, project_id, user_id, channel, title, message, metadata,
  sent_at)
 select $1, $2, u.id, 'email', $5, $6, $7::jsonb, @now from users u
  where u.project_id = $2 and (u.id = $3 or ($3 is null and u.email = $4))
  limit 1 returning id
