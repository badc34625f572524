-- § is of worker/workflow/spec/workflow.md.

--- statement partner_subject: a node
-- Somebody of the team. Appendix A.2
--- $1 project text
--- $2 viewer text
--- $3 subject text
--- $4 organization text: or NULL
--- $5 time_zone text
--- gives allowed boolean: the viewer may see him
--- gives object jsonb: NULL: there is nobody
with team as materialized (@team_of($1, $2, $4)
), led as (select organization_id from (@memberships($1, $2)) ms
   where can_manage and ($4::text is null or organization_id = $4)
), allowed as materialized (select
   ($2 <> $3 and p.enable_partner_roles and p.enable_partner_team_management
     and (exists (select 1 from team where id = $3)
       or exists (select 1 from partner_organization_memberships pm
            join led using (organization_id)
           where pm.project_id = $1 and pm.user_id = $3)))
   or ($4::text is null and ($2 = $3 or exists (select 1 from team where id = $3)
     or exists (select 1 from referral_stats_grants where project_id = $1
           and subject_user_id = $3 and viewer_user_id = $2))) as yes
   from projects p where p.id = $1
)
select yes as allowed, (select jsonb_build_object(
   'name', coalesce(@person_name(u), nullif(u.phone, ''), 'id:' || left(u.id, 8)),
   'phone', u.phone, 'email', u.email, 'level', u.current_level,
   'client', case when $4::text is null then u.partner_role = 'client'
     else not exists (select 1 from (@memberships($1, $3)) ms
           where organization_id = $4 and refers) end,
   'since', to_char(u.registered_at at time zone 'UTC' at time zone $5, 'DD.MM.YYYY'),
   'purchases', trim_scale(u.total_purchases),
   'referrals', (select count(*) from users c where c.project_id = $1
      and c.referred_by = u.id),
   'commission', trim_scale(coalesce(i.amount, 0)), 'count', i.count)
   from users u cross join lateral (select sum(amount) as amount, count(*) as count
      @commission_of($2) and referral_user_id = u.id) i
  where u.project_id = $1 and u.id = $3 and yes) as object
 from allowed
