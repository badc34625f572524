-- § is of worker/workflow/spec/workflow.md.

--- statement partner_viewer: a node
-- The one who asks. Appendix A.2
--- $1 project text
--- $2 user text
--- gives object jsonb
-- No row: no such customer.
select jsonb_build_object('id', u.id, 'firstName', u.first_name,
   'active', u.is_active, 'level', u.current_level,
   'purchases', trim_scale(u.total_purchases), 'domain', p.domain,
   'roles', p.enable_partner_roles, 'team', p.enable_partner_team_management,
   'balance', (select trim_scale(coalesce(sum(amount), 0)) from bonuses
      where user_id = u.id and @active_bonus),
   'commission', (select trim_scale(coalesce(sum(amount), 0))
      @commission_of(u.id)),
   'memberships', (select coalesce(jsonb_agg(jsonb_build_object(
      'organization', organization_id, 'name', name, 'slug', slug,
      'title', nullif(btrim(title), ''), 'level', level, 'manages', can_manage,
      'refers', refers) @best_first), '[]')
      from (@memberships(u.project_id, u.id)) ms)) as object
  from users u join projects p on p.id = u.project_id
 where u.project_id = $1 and u.id = $2
