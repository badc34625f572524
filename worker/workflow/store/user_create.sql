-- § is of worker/workflow/spec/workflow.md.

--- statement user_create: a node
-- create_user. §8.3
--- $1 id text
--- $2 project text
--- $3 first_name text
--- $4 last_name text
--- $5 phone text
--- $6 email text
--- $7 telegram_id bigint
--- $8 telegram_username text
--- $9 max_id bigint
--- $10 max_username text
--- gives customer jsonb
-- No row: he is there already.
insert into users as u (id, project_id, first_name, last_name, phone, email, is_active,
  telegram_id, telegram_username, max_id, max_username, updated_at)
 values ($1, $2, $3, $4, $5, $6, true, $7::bigint, $8, $9::bigint, $10, @now)
 on conflict do nothing returning @u_json(u) as customer

--- statement user_adopt: a node
-- After a clash of user_create: the customer that is there, linked if he was not. §8.3
--- $1 project text
--- $2 phone text
--- $3 email text
--- $4 telegram_id bigint
--- $5 telegram_username text
--- $6 max_id bigint
--- gives customer jsonb
update users u set telegram_id = coalesce(u.telegram_id, case when not exists (
     select 1 from users x where x.project_id = $1 and x.telegram_id = $4::bigint)
     then $4::bigint end),
   telegram_username = coalesce(u.telegram_username, $5),
   max_id = coalesce(u.max_id, case when not exists (
     select 1 from users x where x.max_id = $6::bigint) then $6::bigint end),
   updated_at = @now where u.id = (select id from users where project_id = $1
   and (phone = $2 or email = $3 or telegram_id = $4::bigint or max_id = $6::bigint)
   order by (phone = $2) is true desc, (email = $3) is true desc limit 1)
 returning @u_json(u) as customer
