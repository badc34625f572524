-- § is of worker/workflow/spec/workflow.md.

--- statement referral: a node
-- get_referral_link: makes the code if there is none and he may refer: the first eight
-- digits of the hash that are nobody's. Who does so at the same time waits and gets the
-- same. 23505: somebody else has just got these digits. §8.4
--- $1 user text
--- $2 project text
--- gives code text
--- gives domain text
--- gives project_name text
--- gives slug text: of the best membership, or NULL
--- gives refers boolean: he may
with m as (select o.slug from partner_organization_memberships m
   join partner_organizations o on o.id = m.organization_id and o.is_active
  where m.project_id = $2 and m.user_id = $1 and (m.can_manage or m.level is not null)
  order by m.can_manage desc, m.level desc limit 1),
 c as (select u.id, u.referral_code as code, p.domain, p.name,
   not p.enable_partner_roles or u.partner_role <> 'client'
    or exists (select 1 from m) as refers
   from users u join projects p on p.id = u.project_id
  where u.id = $1 and u.project_id = $2),
 made as (update users u set referral_code = coalesce(u.referral_code, (
   select x.code from (select n, upper(substr(md5(u.id), 8 * n + 1, 8)) as code
     from generate_series(0, 3) n) x
    where not exists (select 1 from users o where o.referral_code = x.code)
    order by n limit 1))
   from c where u.id = c.id and c.refers and c.code is null
  returning u.referral_code)
 select coalesce((select referral_code from made), c.code) as code, c.domain,
  c.name as project_name,
  (select slug from m) as slug, c.refers from c
