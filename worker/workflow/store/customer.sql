-- § is of worker/workflow/spec/workflow.md.

--- part local(column)
to_char(@column at time zone 'UTC' at time zone $5, 'YYYY-MM-DD HH24:MI')

--- statement customer: a node, reads
-- All that the variables of a customer are made of, one object. §6.5
--
-- $2 is NULL: the user of execution $4, or, if that is NULL too, the customer of
-- Telegram id $3.
--- $1 project text
--- $2 user text
--- $3 telegram_id bigint
--- $4 execution text
--- $5 time_zone text: of formatted dates
--- gives object jsonb
-- No row: no such customer.
select to_jsonb(q) as object from (
 select u.id, u.first_name, u.last_name, u.email, u.phone, u.telegram_id::text,
  u.telegram_username, u.max_id::text, u.max_username, u.current_level,
  u.referral_code, u.referred_by, @iso(u.registered_at) as registered_at,
  @iso(u.updated_at) as updated_at, @local(u.registered_at)
  as registered_local, @local(u.updated_at) as updated_local,
  trim_scale(u.total_purchases) as total_purchases,
  upper(u.partner_role::text) as partner_role, p.name as project_name, p.domain,
  p.enable_partner_roles,
  case when p.enable_partner_roles then (@card_of(u.project_id, u.id))
   end as partner,
  o.slug as org_slug, u.partner_role <> 'client' or o.slug is not null as may_refer,
  r.id as ref_id, r.first_name as ref_first, r.last_name as ref_last,
  r.telegram_username as ref_username, b.balance, b.expiring, b.bonus_count,
  t.earned, t.spent, t.tx_count, t.ref_bonus, t.ref_bonus_month,
  (select count(*) from users c where c.project_id = u.project_id
      and c.referred_by = u.id and c.is_active) as referral_count,
  (select coalesce(jsonb_agg(x order by x.created_at desc), '[]') from (
     select id, trim_scale(amount) as amount, type, description, created_at,
            @iso(created_at) as at, @local(created_at) as local,
            is_referral_bonus
       from transactions where user_id = u.id order by created_at desc limit 10) x)
  as last_transactions,
  (select coalesce(jsonb_agg(y order by y.created_at desc), '[]') from (
     select id, trim_scale(amount) as amount, type, description, created_at,
            @iso(created_at) as at, @iso(expires_at) as expires,
            @local(expires_at) as expires_local
       from bonuses where user_id = u.id and @active_bonus
      order by created_at desc limit 50) y) as active_bonuses
  from users u join projects p on p.id = u.project_id
  left join users r on r.id = u.referred_by
  left join lateral (select slug from (@memberships(u.project_id, u.id)
     ) ms where refers @best_first limit 1) o on true
  cross join lateral (select trim_scale(coalesce(sum(amount), 0)) as balance,
     count(*) as bonus_count, trim_scale(coalesce(sum(amount) filter (
     where expires_at <= @now + interval '30 days'), 0)) as expiring
     from bonuses where user_id = u.id and @active_bonus) b
  cross join lateral (select
     trim_scale(coalesce(sum(amount) filter (where type = 'EARN'), 0)) as earned,
     trim_scale(coalesce(sum(abs(amount)) filter (where type = 'SPEND'), 0)) as spent,
     count(*) as tx_count, trim_scale(coalesce(sum(amount) filter (
       where type = 'EARN' and is_referral_bonus), 0)) as ref_bonus,
     trim_scale(coalesce(sum(amount) filter (where type = 'EARN' and is_referral_bonus
       and created_at >= date_trunc('month', @now)), 0)) as ref_bonus_month
     from transactions where user_id = u.id) t
 where u.project_id = $1 and u.id = (select coalesce($2::text,
   (select user_id from workflow_executions where id = $4),
   (select id from users where project_id = $1 and telegram_id = $3::bigint)))) q
