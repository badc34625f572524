-- § is of worker/workflow/spec/workflow.md.

--- part bonus_json
jsonb_build_object('id', id, 'userId', user_id, 'amount', trim_scale(amount),
 'type', type, 'description', description, 'expiresAt', @iso(expires_at),
 'isUsed', is_used, 'createdAt', @iso(created_at))

--- statement add_bonus: a node
-- add_bonus. The customer's row is locked first, by user_lock in the same batch. §8.4
--- $1 bonus text: id of the new row
--- $2 user text
--- $3 project text
--- $4 amount numeric
--- $5 type "BonusType"
--- $6 description text
--- $7 expires_at timestamp without time zone: or NULL
--- $8 transaction text: id of the new row
--- $9 execution text
--- $10 node text
--- $11 visit integer: in this job
--- $12 steps_before integer: of this job
--- gives bonus jsonb
--- gives is_new boolean
-- No row: no such customer.
with x as materialized (select @external_id($9::text, $10::text, $11, $12) as id),
 b as (insert into bonuses (id, user_id, amount, type, description, expires_at,
                            external_id, created_at)
 select $1, u.id, $4::numeric, $5, $6, coalesce($7::timestamp, @now
        + make_interval(days => p.bonus_expiry_days)), x.id, @now
   from users u join projects p on p.id = u.project_id cross join x
  where u.id = $2 and u.project_id = $3 on conflict (external_id) do nothing returning *),
 t as (insert into transactions (id, user_id, bonus_id, amount, type, description,
                                 external_id, created_at)
 select $8, user_id, id, amount, 'EARN', coalesce(description,
        'Начислено ' || trim_scale(amount) || ' бонусов'), external_id, @now from b
 on conflict (external_id) do nothing)
 select @bonus_json as bonus, true as is_new from b union all
 select @bonus_json, false from bonuses where external_id = (select id from x)
