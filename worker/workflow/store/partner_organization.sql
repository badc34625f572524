-- § is of worker/workflow/spec/workflow.md.

--- statement partner_organization: a node
-- An organisation and its team. $3 is NULL: the first that the viewer manages.
-- Appendix A.2
--- $1 project text
--- $2 viewer text
--- $3 organization text
--- $4 leaders integer: how many
--- gives object jsonb
-- No row: he manages none.
with org as materialized (select organization_id, name
   from (@memberships($1, $2)) ms
  where can_manage and ($3::text is null or organization_id = $3)
  @best_first limit 1
), team as (@team_of($1, $2, (select organization_id from org))
), person as materialized (select u.id, @listed_name(u) as name,
   u.total_purchases, m.level, m.level is null and m.can_manage is not true as client
   from team t join users u on u.id = t.id and u.project_id = $1
   left join partner_organization_memberships m on m.user_id = u.id
     and m.organization_id = (select organization_id from org)
)
select jsonb_build_object('name', org.name,
   'total', (select count(*) from person),
   'clients', (select count(*) from person where client),
   'purchases', (select trim_scale(coalesce(sum(total_purchases), 0)) from person),
   'levels', (select coalesce(jsonb_agg(l order by l.level), '[]') from (
      select level, count(*) as count from person where level is not null
       group by level) l),
   'leaders', (select coalesce(jsonb_agg(jsonb_build_object('name', name,
      'purchases', trim_scale(total_purchases)) order by total_purchases desc, id),
      '[]') from (select * from person where level is not null
       order by total_purchases desc, id limit $4::integer) l)) as object
  from org
