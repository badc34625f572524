-- Partners: Appendix A of worker/workflow/spec/workflow.md. Arguments are SQL.

--- part memberships(project, user)
-- Memberships in organisations that are active; @best_first puts the best first.
select pm.organization_id, pm.title, pm.level, pm.can_manage, pm.created_at, pm.id,
       po.name, po.slug, pm.can_manage or pm.level is not null as refers
  from partner_organization_memberships pm
  join partner_organizations po on po.id = pm.organization_id and po.is_active
 where pm.project_id = @project and pm.user_id = @user

--- part best_first
order by can_manage desc, level desc, created_at, id

--- part team_of(project, viewer, org)
-- id, is_direct: members of organisations the viewer manages, and all below him in the
-- graph of referrals. `org`: one organisation, or NULL. The edges are not gathered first:
-- most viewers have nobody below them, and then one look is enough.
with recursive mine as (
 select organization_id from partner_organization_memberships
  where project_id = @project and user_id = @viewer and can_manage
    and (@org::text is null or organization_id = @org)
), managed as (
 select pm.user_id as id from partner_organization_memberships pm
   join mine using (organization_id) where pm.project_id = @project
), edge as not materialized (
 select referrer_user_id as parent, child_user_id as child
   from partner_referral_links
  where project_id = @project and (@org::text is null or organization_id = @org)
  union all
 select pu.referred_by, pu.id from users pu
  where @org::text is null and pu.project_id = @project
    and pu.referred_by is not null
    and not exists (select 1 from partner_referral_links pl
          where pl.project_id = @project and pl.child_user_id = pu.id)
), direct as materialized (
 select child as id from edge where parent = @viewer
), walk as (
 select id from direct
  union
 select e.child from edge e join walk w on e.parent = w.id
)
select pt.id, pt.id in (select id from direct) as is_direct
  from (select id from managed union select id from walk) pt
 where pt.id <> @viewer

--- part card_of(project, user)
-- What the variables of Appendix A.1 are made of.
with ms as (@memberships(@project, @user))
select jsonb_build_object('organizations', (select count(*) from ms),
   'manages', exists (select 1 from ms where can_manage),
   'title', (select nullif(btrim(title), '') from ms @best_first limit 1),
   'level', (select level from ms @best_first limit 1),
   'team', (select jsonb_build_object('all', count(*),
      'direct', count(*) filter (where is_direct))
      from (@team_of(@project, @user, null)) team))

--- part person_name(u)
-- NULL: he gave none.
nullif(btrim(concat_ws(' ', nullif(btrim(@u.first_name), ''),
 nullif(btrim(@u.last_name), ''))), '')

--- part listed_name(u)
-- Somebody's name on a button or in a list.
coalesce(@person_name(@u), nullif(@u.email, ''), nullif(@u.phone, ''),
 left(@u.id, 8))

--- part commission_of(viewer)
-- Commission a viewer earned.
from transactions where user_id = @viewer and type = 'EARN' and is_referral_bonus
