-- § is of worker/workflow/spec/workflow.md.

--- statement balance: a node, reads
-- get_balance. §8.4
--- $1 user text
--- $2 project text
--- gives result jsonb
-- No row: no such customer.
select jsonb_build_object('userId', u.id, 'balance', b.balance, 'totalEarned', t.earned,
  'totalSpent', t.spent, 'expiringSoon', b.expiring) as result
  from users u cross join lateral (select trim_scale(coalesce(sum(amount), 0)) as balance,
     trim_scale(coalesce(sum(amount) filter (where expires_at >= @now
       and expires_at <= @now + interval '30 days'), 0)) as expiring
     from bonuses where user_id = u.id and @active_bonus) b
  cross join lateral (select
     trim_scale(coalesce(sum(amount) filter (where type = 'EARN'), 0)) as earned,
     trim_scale(coalesce(sum(abs(amount)) filter (where type = 'SPEND'), 0)) as spent
     from transactions where user_id = u.id) t
 where u.id = $1 and u.project_id = $2

--- statement transactions: a node, reads
-- get_transactions, the newest first. §8.4
--- $1 user text
--- $2 project text
--- $3 limit integer
--- gives list jsonb
select coalesce(jsonb_agg(jsonb_build_object('id', id, 'userId', user_id,
  'bonusId', bonus_id,
  'amount', trim_scale(amount), 'type', type, 'description', description,
  'metadata', metadata, 'createdAt', @iso(created_at), 'appliedPercent',
  applied_percent, 'isReferralBonus', is_referral_bonus, 'externalId', external_id,
  'referralUserId', referral_user_id, 'referralLevel', referral_level,
  'userLevel', user_level) order by created_at desc, id desc), '[]') as list
  from (select t.* from transactions t join users u on u.id = t.user_id
         where u.id = $1 and u.project_id = $2
         order by t.created_at desc, t.id desc limit $3::integer) t

--- statement stats: a node, reads
-- get_user_stats. §8.4
--- $1 user text
--- $2 project text
--- gives result jsonb
select jsonb_build_object('user', @u_json(u), 'stats', jsonb_build_object(
  'totalEarned', t.earned, 'totalSpent', t.spent, 'currentBalance', @balance_of(u),
  'transactionCount', t.n)) as result
  from users u cross join lateral (select count(*) as n,
     trim_scale(coalesce(sum(amount) filter (where type = 'EARN'), 0)) as earned,
     trim_scale(coalesce(sum(abs(amount)) filter (where type = 'SPEND'), 0)) as spent
     from transactions where user_id = u.id) t
 where u.id = $1 and u.project_id = $2

--- statement welcomed: a node, reads
-- Whether he has had the welcome bonus. §8.4
--- $1 user text
--- $2 project text
--- gives welcomed boolean
select exists (select 1 from bonuses b join users u on u.id = b.user_id
 where u.id = $1 and u.project_id = $2 and b.type = 'WELCOME') as welcomed
