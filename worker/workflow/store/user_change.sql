-- § is of worker/workflow/spec/workflow.md.

--- statement user_json: a node
-- A customer. §8.2
--- $1 user text
--- $2 project text
--- gives customer jsonb
select @u_json(u) as customer from users u where u.id = $1 and u.project_id = $2

--- statement user_update: a node
-- update_user: those members that $3 has. §8.3
--- $1 user text
--- $2 project text
--- $3 members jsonb: the object of phone, email, firstName, lastName
--- $4 phone text
--- $5 email text
--- $6 first_name text
--- $7 last_name text
--- gives customer jsonb
update users u set phone = case when $3::jsonb ? 'phone' then $4 else phone end,
   email = case when $3::jsonb ? 'email' then $5 else email end,
   first_name = case when $3::jsonb ? 'firstName' then $6 else first_name end,
   last_name = case when $3::jsonb ? 'lastName' then $7 else last_name end,
   updated_at = @now
 where u.id = $1 and u.project_id = $2 returning @u_json(u) as customer

--- statement user_contact: a node
-- update_user_contact. §8.3
--- $1 project text
--- $2 messenger_id bigint
--- $3 phone text: NULL keeps
--- $4 email text: NULL keeps
--- $5 is_max boolean: the platform is MAX
--- gives customer jsonb: reduced
--- gives id text
update users u set phone = coalesce($3, phone), email = coalesce($4, email),
   updated_at = @now where u.project_id = $1
   and (case when $5::boolean then u.max_id else u.telegram_id end) = $2::bigint
 returning jsonb_build_object('id', u.id, 'projectId', u.project_id, 'email', u.email,
   'phone', u.phone, 'firstName', u.first_name, 'lastName', u.last_name,
   'telegramId', u.telegram_id::text, 'telegramUsername', u.telegram_username,
   'maxId', u.max_id::text, 'maxUsername', u.max_username, 'isActive', u.is_active)
   as customer, u.id

--- statement user_birthday: a node
-- set_birthday. §8.3
--- $1 user text
--- $2 project text
--- $3 date date
--- gives result jsonb
update users u set birth_date = $3::date, updated_at = @now
 where u.id = $1 and u.project_id = $2 returning jsonb_build_object('id', u.id,
 'birthDate', to_char(u.birth_date, 'YYYY-MM-DD"T00:00:00.000Z"'), 'success', true)
   as result

--- statement user_metadata: a node
-- get_metadata. §8.3
--- $1 user text
--- $2 project text
--- gives result jsonb
select jsonb_build_object('userId', id, 'metadata', coalesce(metadata, '{}'::jsonb))
         as result
  from users where id = $1 and project_id = $2

--- statement user_metadata_set: a node
-- set_metadata. §8.3
--- $1 user text
--- $2 project text
--- $3 members jsonb: to set
--- $4 keys text[]: to delete
--- gives result jsonb
update users set metadata = (coalesce(metadata, '{}'::jsonb) || $3::jsonb) - $4::text[],
       updated_at = @now where id = $1 and project_id = $2
 returning jsonb_build_object('userId', id, 'metadata', metadata, 'success', true)
   as result
