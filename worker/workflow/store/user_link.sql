-- § is of worker/workflow/spec/workflow.md.

--- statement blocked: a node
-- He has blocked the bot. §9.6
--- $1 project text
--- $2 user text
--- $3 telegram_id bigint
--- gives id text
update users set telegram_id = null, updated_at = @now
 where id = $2 and project_id = $1 and telegram_id = $3::bigint returning id

--- statement user_detach: a node
-- Takes a messenger id from whoever else in the project has it. $1 is NULL: @found. §8.3
--- $1 user text
--- $2 project text
--- $3 telegram_id bigint
--- $4 is_max boolean: the platform is MAX
--- gives id text: of the other
update users set telegram_id = case when $4::boolean then telegram_id end,
       max_id = case when not $4::boolean then max_id end,
       is_active = false, updated_at = @now where project_id = $2 and id <> @found
   and (case when $4::boolean then max_id else telegram_id end) = $3::bigint
   and exists (select 1 from users where id = @found and project_id = $2)
 returning id

--- statement user_activate: a node
-- Gives a customer his messenger id. $1 is NULL: @found. §8.3
--- $1 user text
--- $2 project text
--- $3 telegram_id bigint
--- $4 username text: NULL keeps
--- $5 phone text: NULL keeps
--- $6 is_max boolean: the platform is MAX
--- gives customer jsonb
update users u set
   telegram_id = case when $6::boolean then telegram_id else $3::bigint end,
   telegram_username = case when $6::boolean then telegram_username
                            else coalesce($4, telegram_username) end,
   max_id = case when $6::boolean then $3::bigint else max_id end,
   max_username = case when $6::boolean then coalesce($4, max_username)
                       else max_username end,
   phone = coalesce($5, phone), is_active = true, updated_at = @now
 where u.id = @found and u.project_id = $2 returning @u_json(u) as customer

--- statement user_welcome: a node
-- The bonus of activate_user, once only. §8.3, activate_user 4
--- $1 user text
--- $2 project text
--- $3 bonus text: id of the new row
--- $4 transaction text: id of the new row
with b as (
 insert into bonuses (id, user_id, amount, type, description, expires_at, external_id,
                      created_at)
 select $3, u.id, r.welcome_bonus, 'WELCOME',
        'Приветственные бонусы за активацию аккаунта',
        @now + make_interval(days => p.bonus_expiry_days), 'welcome:' || u.id, @now
   from users u join projects p on p.id = u.project_id
   join referral_programs r on r.project_id = p.id
  where u.id = $1 and u.project_id = $2 and r.welcome_bonus > 0
    and r.welcome_reward_type = 'bonus'
    and not exists (select 1 from bonuses x where x.user_id = u.id and x.type = 'WELCOME')
 on conflict (external_id) do nothing
 returning id, user_id, amount, description, external_id)
 insert into transactions (id, user_id, bonus_id, amount, type, description, external_id,
                           created_at)
 select $4, user_id, id, amount, 'EARN', description, external_id, @now from b
 on conflict (external_id) do nothing
