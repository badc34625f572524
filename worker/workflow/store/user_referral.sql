-- § is of worker/workflow/spec/workflow.md.

--- statement user_referral: a node
-- Settles `metadata.pendingReferral` of the customer, whose row is locked by a statement
-- before, and removes it: he follows the referrer, joins the organisation, asks to, or
-- belongs somewhere already. §8.3, activate_user 5
--
-- $1 is NULL: @found. $2 is NULL: nothing is done.
--- $1 user text
--- $2 project text
--- $3 request text: id of a new row
--- $4 membership text: id of a new row
--- $5 own_membership text: id of a new row
--- $6 link text: id of a new row
--- $7 attribution text: id of a new row
--- gives way text: drop, ask, join or follow
--- gives referrer text: or NULL
-- No row: nothing was pending.
with pending as materialized (
 select u.id, u.project_id, u.partner_role, o.id as org, r.id as referrer,
   r.partner_role as referrer_role, p.referral_plans_enabled as plans,
   r.outbound_referral_plan_id as referrer_plan, r.organization_id as referrer_org,
   o.default_referral_commission_plan_id as org_plan,
   p.default_referral_commission_plan_id as project_plan,
   case when u.referred_by is not null or u.organization_id is not null
          or u.partner_role <> 'client' or r.id is null
          or (x.org is not null and o.id is null) then 'drop'
        when p.referral_join_requires_approval
          and p.enable_partner_team_management then 'ask'
        when o.id is null then 'follow' else 'join' end as way
   from users u join projects p on p.id = u.project_id
   cross join lateral (select
      u.metadata -> 'pendingReferral' ->> 'referrerId' as referrer,
      nullif(u.metadata -> 'pendingReferral' ->> 'organizationId', '') as org) x
   left join users r on r.id = x.referrer and r.project_id = u.project_id
     and r.id <> u.id
   left join partner_organizations o on o.id = x.org and o.project_id = u.project_id
  where u.id = @found and u.project_id = $2 and u.metadata ? 'pendingReferral'
), asked as (
 insert into partner_join_requests as j (id, project_id, user_id, referrer_id,
        organization_id, status, created_at, updated_at)
 select $3, project_id, id, referrer, org, 'PENDING', @now, @now
   from pending where way = 'ask'
     on conflict (project_id, user_id) do update set status = 'PENDING',
        referrer_id = excluded.referrer_id,
        organization_id = excluded.organization_id, reviewed_by = null,
        reviewed_at = null, reject_reason = null, updated_at = excluded.updated_at
  where j.status <> 'PENDING'
), members as (
 insert into partner_organization_memberships (id, project_id, organization_id,
        user_id, level, created_at, updated_at)
 select v.id, project_id, org, v.user_id, case v.role when 'trainer' then 1
        when 'manager' then 2 when 'director' then 3 end, @now, @now
   from pending p cross join lateral (values ($4::text, p.referrer, p.referrer_role),
        ($5::text, p.id, p.partner_role)) v(id, user_id, role)
  where way = 'join' on conflict (organization_id, user_id) do nothing
), gone as (
 delete from partner_referral_links l using pending p where p.way = 'join'
    and l.organization_id = p.org and l.child_user_id = p.id
    and l.referrer_user_id <> p.referrer returning 1
), linked as (
-- after `gone`: the shares of one child are summed up by a trigger
 insert into partner_referral_links (id, project_id, organization_id, child_user_id,
        referrer_user_id, share_percent, is_primary, created_at, updated_at)
 select $6, project_id, org, id, referrer, 100, true, @now, @now
   from pending, (select count(*) from gone) g where way = 'join'
     on conflict (organization_id, child_user_id, referrer_user_id)
     do update set share_percent = 100, is_primary = true,
        updated_at = excluded.updated_at
), attributed as (
 insert into referral_attributions (id, user_id, project_id, referrer_id,
        commission_plan_id, locked, organization_id, created_at, updated_at)
 select $7, p.id, p.project_id, p.referrer, plan.id, true, p.org, @now, @now
   from pending p cross join lateral (select c.id from (values
      (1, (select outbound_referral_plan_id from partner_organization_memberships
            where organization_id = p.org and user_id = p.referrer)),
      (2, p.org_plan), (3, p.referrer_plan),
      (4, (select default_referral_commission_plan_id from partner_organizations
            where id = p.referrer_org and p.org is null)),
      (5, p.project_plan)) v(rank, plan)
      join referral_commission_plans c on c.id = v.plan and c.is_active
       and c.project_id = p.project_id order by v.rank limit 1) plan
  where p.way in ('join', 'follow') and p.plans on conflict (user_id) do nothing
)
update users u set metadata = u.metadata - 'pendingReferral', updated_at = @now,
   referred_by = case way when 'follow' then referrer else u.referred_by end,
   partner_parent_id = case way when 'follow' then referrer
                                else u.partner_parent_id end,
   organization_id = case way when 'join' then coalesce(u.organization_id, org)
                              else u.organization_id end
  from pending p where u.id = p.id returning p.way, p.referrer
