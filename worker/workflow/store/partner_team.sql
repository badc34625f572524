-- § is of worker/workflow/spec/workflow.md.

--- statement partner_team: a node
-- One page of the team. Appendix A.2
--- $1 project text
--- $2 viewer text
--- $3 organization text: or NULL
--- $4 filter text: or NULL
--- $5 page_size integer
--- $6 page integer
--- gives object jsonb
with asked as materialized (select coalesce($4::text, case when exists (
   select 1 from (@memberships($1, $2)) ms where can_manage
      and ($3::text is null or organization_id = $3)) then 'all' else 'direct' end)
   as filter
), team as materialized (@team_of($1, $2, $3)
), person as (select u.id, @listed_name(u) as name, u.total_purchases,
   u.registered_at, t.is_direct, nullif(btrim(m.title), '') as title, m.level,
   case when $3::text is null then u.partner_role = 'client'
        else m.level is null and m.can_manage is not true end as is_client
   from team t join users u on u.id = t.id and u.project_id = $1
   left join lateral (select * from (@memberships($1, u.id)) ms
      where $3::text is null or organization_id = $3 @best_first limit 1) m
     on true
), chosen as materialized (select p.* from person p, asked
   where case filter when 'direct' then is_direct when 'clients' then is_client
                     when 'partners' then not is_client else true end
), income as materialized (select referral_user_id as id, sum(amount) as amount
   @commission_of($2) and referral_user_id in (select id from chosen) group by 1
), size as (select count(*) as total, least(greatest($6::integer, 0),
   greatest((count(*) - 1) / $5::integer, 0)) as page from chosen
), shown as (select c.*, coalesce(i.amount, 0) as commission
   from chosen c left join income i using (id)
  order by total_purchases desc, is_direct desc, registered_at, id
  limit $5::integer offset (select page from size) * $5::integer
)
select jsonb_build_object('filter', filter, 'total', total, 'page', page,
   'purchases', (select trim_scale(coalesce(sum(total_purchases), 0)) from chosen),
   'commission', (select trim_scale(coalesce(sum(amount), 0)) from income),
   'people', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name,
      'title', title, 'level', level, 'client', is_client,
      'purchases', trim_scale(total_purchases), 'commission', trim_scale(commission))
      order by total_purchases desc, is_direct desc, registered_at, id), '[]')
      from shown)) as object
  from asked, size
