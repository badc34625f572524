-- § is of worker/workflow/spec/workflow.md.

--- statement user_by_platform: a node
-- check_user_by_platform: the first hit in the order of the parameters; NULL is not asked
-- for. §8.3
--- $1 project text
--- $2 telegram_id bigint
--- $3 max_id bigint
--- $4 phone text
--- $5 email text
--- $6 is_max boolean: the platform is MAX
--- gives customer jsonb: with his balance
select @u_json(u) || jsonb_build_object('balance', @balance_of(u)) as customer
  from users u where u.project_id = $1 and (
   (not $6::boolean and u.telegram_id = $2::bigint)
   or u.max_id = case when $6::boolean then coalesce($2, $3)::bigint else $3::bigint end
   or u.phone = $4 or u.email = $5)
 order by (not $6::boolean and u.telegram_id = $2::bigint) is true desc,
  (u.max_id = case when $6::boolean then coalesce($2, $3)::bigint else $3::bigint end)
    is true desc, (u.phone = $4) is true desc limit 1

--- statement user_by_contact: a node
-- check_user_by_contact. §8.3
--- $1 project text
--- $2 telegram_id bigint
--- $3 phones text[]: in order of preference
--- $4 email text
--- $5 is_max boolean: the platform is MAX
--- gives customer jsonb
select @u_json(u) as customer
  from users u where u.project_id = $1 and (
   (case when $5::boolean then u.max_id else u.telegram_id end) = $2::bigint
   or u.phone = any ($3::text[]) or u.email = $4)
 order by ((case when $5::boolean then u.max_id else u.telegram_id end) = $2::bigint)
   is true desc, array_position($3::text[], u.phone) nulls last limit 1

--- statement user_any_contact: a node
-- Who holds one of these. §8.3
--- $1 project text
--- $2 phones text[]: in order of preference
--- $3 email text
--- $4 id text
--- gives id text
--- gives customer jsonb: with his balance and his whole name
select u.id, @u_json(u) || jsonb_build_object('balance', @balance_of(u),
   'name', nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), '')) as customer
 from users u where u.project_id = $1
 and (u.id = $4 or u.phone = any ($2::text[]) or u.email = $3)
 order by (u.id = $4) is true desc, array_position($2::text[], u.phone) nulls last limit 1

--- statement user_found: a node
-- Finds as above, locks, and names the row to the statements behind it in the same
-- transaction (@found). §8.3
--- $1 project text
--- $2 phones text[]: in order of preference
--- $3 email text
--- $4 id text
--- gives id text
--- gives named text
--- gives has_referral boolean: a pending one
select u.id, set_config('bulwark.found', u.id, true) as named,
 u.metadata ? 'pendingReferral' as has_referral from users u
 where u.project_id = $1 and u.id = (select x.id from users x where x.project_id = $1
   and (x.id = $4 or x.phone = any ($2::text[]) or x.email = $3)
   order by (x.id = $4) is true desc, array_position($2::text[], x.phone) nulls last
   limit 1) for update

--- statement user_lock: a node, reads
-- Locks a customer. §8.3
--- $1 user text
--- $2 project text
--- gives id text
--- gives has_referral boolean: a pending one
select id, metadata ? 'pendingReferral' as has_referral from users
 where id = $1 and project_id = $2
 for update
