/* SQL of the partner actions. Appendix A.2. Every statement is bound to the project. */
#include "workflow/store/store_partner.h"

/* clang-format off */

/* Somebody's name on a button or in a list. */
#define NAME(u, other) \
    "coalesce(nullif(btrim(concat_ws(' ', nullif(btrim(" u ".first_name), '')," \
    " nullif(btrim(" u ".last_name), ''))), ''), " other ")"
#define LISTED_NAME(u) \
    NAME(u, "nullif(" u ".email, ''), nullif(" u ".phone, ''), left(" u ".id, 8)")

/* Commission a viewer earned. */
#define COMMISSION(viewer) \
    "from transactions where user_id = " viewer " and type = 'EARN' and is_referral_bonus"

/* The one who asks. $1 project, $2 user. 0 object; no row: no such customer */
const char wf_sql_partner_viewer[] =
    "select jsonb_build_object('id', u.id, 'firstName', u.first_name,"
    "   'active', u.is_active, 'level', u.current_level,"
    "   'purchases', trim_scale(u.total_purchases), 'domain', p.domain,"
    "   'roles', p.enable_partner_roles, 'team', p.enable_partner_team_management,"
    "   'balance', (select trim_scale(coalesce(sum(amount), 0)) from bonuses"
    "      where user_id = u.id and " ACTIVE_BONUS "),"
    "   'commission', (select trim_scale(coalesce(sum(amount), 0))"
    "      " COMMISSION("u.id") "),"
    "   'memberships', (select coalesce(jsonb_agg(jsonb_build_object("
    "      'organization', organization_id, 'name', name, 'slug', slug,"
    "      'title', nullif(btrim(title), ''), 'level', level, 'manages', can_manage,"
    "      'refers', refers)" PARTNER_ORDER "), '[]')"
    "      from (" PARTNER_MEMBERSHIPS("u.project_id", "u.id") ") ms))"
    "  from users u join projects p on p.id = u.project_id"
    " where u.project_id = $1 and u.id = $2";

/* One page of the team. $1 project, $2 viewer, $3 organisation or NULL, $4 filter or NULL,
 * $5 page size, $6 page. 0 object */
const char wf_sql_partner_team[] =
    "with asked as materialized (select coalesce($4::text, case when exists ("
    "   select 1 from (" PARTNER_MEMBERSHIPS("$1", "$2") ") ms where can_manage"
    "      and ($3::text is null or organization_id = $3)) then 'all' else 'direct' end)"
    "   as filter"
    "), team as materialized (" PARTNER_TEAM("$1", "$2", "$3")
    "), person as (select u.id, " LISTED_NAME("u") " as name, u.total_purchases,"
    "   u.registered_at, t.is_direct, nullif(btrim(m.title), '') as title, m.level,"
    "   case when $3::text is null then u.partner_role = 'client'"
    "        else m.level is null and m.can_manage is not true end as is_client"
    "   from team t join users u on u.id = t.id and u.project_id = $1"
    "   left join lateral (select * from (" PARTNER_MEMBERSHIPS("$1", "u.id") ") ms"
    "      where $3::text is null or organization_id = $3" PARTNER_ORDER " limit 1) m"
    "     on true"
    "), chosen as materialized (select p.* from person p, asked"
    "   where case filter when 'direct' then is_direct when 'clients' then is_client"
    "                     when 'partners' then not is_client else true end"
    "), income as materialized (select referral_user_id as id, sum(amount) as amount"
    "   " COMMISSION("$2") " and referral_user_id in (select id from chosen) group by 1"
    "), size as (select count(*) as total, least(greatest($6::integer, 0),"
    "   greatest((count(*) - 1) / $5::integer, 0)) as page from chosen"
    "), shown as (select c.*, coalesce(i.amount, 0) as commission"
    "   from chosen c left join income i using (id)"
    "  order by total_purchases desc, is_direct desc, registered_at, id"
    "  limit $5::integer offset (select page from size) * $5::integer"
    ") select jsonb_build_object('filter', filter, 'total', total, 'page', page,"
    "   'purchases', (select trim_scale(coalesce(sum(total_purchases), 0)) from chosen),"
    "   'commission', (select trim_scale(coalesce(sum(amount), 0)) from income),"
    "   'people', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name,"
    "      'title', title, 'level', level, 'client', is_client,"
    "      'purchases', trim_scale(total_purchases), 'commission', trim_scale(commission))"
    "      order by total_purchases desc, is_direct desc, registered_at, id), '[]')"
    "      from shown))"
    "  from asked, size";

/* Somebody of the team. $1 project, $2 viewer, $3 subject, $4 organisation or NULL, $5 time
 * zone. 0 the viewer may see him, 1 object or null: there is nobody */
const char wf_sql_partner_subject[] =
    "with team as materialized (" PARTNER_TEAM("$1", "$2", "$4")
    "), led as (select organization_id from (" PARTNER_MEMBERSHIPS("$1", "$2") ") ms"
    "   where can_manage and ($4::text is null or organization_id = $4)"
    "), allowed as materialized (select"
    "   ($2 <> $3 and p.enable_partner_roles and p.enable_partner_team_management"
    "     and (exists (select 1 from team where id = $3)"
    "       or exists (select 1 from partner_organization_memberships pm"
    "            join led using (organization_id)"
    "           where pm.project_id = $1 and pm.user_id = $3)))"
    "   or ($4::text is null and ($2 = $3 or exists (select 1 from team where id = $3)"
    "     or exists (select 1 from referral_stats_grants where project_id = $1"
    "           and subject_user_id = $3 and viewer_user_id = $2))) as yes"
    "   from projects p where p.id = $1"
    ") select yes, (select jsonb_build_object("
    "   'name', " NAME("u", "nullif(u.phone, ''), 'id:' || left(u.id, 8)") ","
    "   'phone', u.phone, 'email', u.email, 'level', u.current_level,"
    "   'client', case when $4::text is null then u.partner_role = 'client'"
    "     else not exists (select 1 from (" PARTNER_MEMBERSHIPS("$1", "$3") ") ms"
    "           where organization_id = $4 and refers) end,"
    "   'since', to_char(u.registered_at at time zone 'UTC' at time zone $5, 'DD.MM.YYYY'),"
    "   'purchases', trim_scale(u.total_purchases),"
    "   'referrals', (select count(*) from users c where c.project_id = $1"
    "      and c.referred_by = u.id),"
    "   'commission', trim_scale(coalesce(i.amount, 0)), 'count', i.count)"
    "   from users u cross join lateral (select sum(amount) as amount, count(*) as count"
    "      " COMMISSION("$2") " and referral_user_id = u.id) i"
    "  where u.project_id = $1 and u.id = $3 and yes)"
    " from allowed";

/* Commissions, the newest first. $1 project, $2 viewer, $3 how many, $4 time zone. 0 day, 1
 * amount, 2 whose purchase or NULL, 3 level or NULL */
const char wf_sql_partner_payouts[] =
    "select to_char(t.created_at at time zone 'UTC' at time zone $4, 'DD.MM'), t.amount,"
    "   " LISTED_NAME("c") ", t.referral_level"
    "  from (select * " COMMISSION("$2") " order by created_at desc, id desc"
    "         limit $3::integer) t"
    "  join users u on u.id = t.user_id and u.project_id = $1"
    "  left join users c on c.id = t.referral_user_id and c.project_id = $1"
    " order by t.created_at desc, t.id desc";

/* An organisation and its team. $1 project, $2 viewer, $3 organisation or NULL: the first
 * he manages, $4 how many leaders. 0 object; no row: he manages none */
const char wf_sql_partner_organization[] =
    "with org as materialized (select organization_id, name"
    "   from (" PARTNER_MEMBERSHIPS("$1", "$2") ") ms"
    "  where can_manage and ($3::text is null or organization_id = $3)"
    "  " PARTNER_ORDER " limit 1"
    "), team as (" PARTNER_TEAM("$1", "$2", "(select organization_id from org)")
    "), person as materialized (select u.id, " LISTED_NAME("u") " as name,"
    "   u.total_purchases, m.level, m.level is null and m.can_manage is not true as client"
    "   from team t join users u on u.id = t.id and u.project_id = $1"
    "   left join partner_organization_memberships m on m.user_id = u.id"
    "     and m.organization_id = (select organization_id from org)"
    ") select jsonb_build_object('name', org.name,"
    "   'total', (select count(*) from person),"
    "   'clients', (select count(*) from person where client),"
    "   'purchases', (select trim_scale(coalesce(sum(total_purchases), 0)) from person),"
    "   'levels', (select coalesce(jsonb_agg(l order by l.level), '[]') from ("
    "      select level, count(*) as count from person where level is not null"
    "       group by level) l),"
    "   'leaders', (select coalesce(jsonb_agg(jsonb_build_object('name', name,"
    "      'purchases', trim_scale(total_purchases)) order by total_purchases desc, id),"
    "      '[]') from (select * from person where level is not null"
    "       order by total_purchases desc, id limit $4::integer) l))"
    "  from org";

/* clang-format on */
