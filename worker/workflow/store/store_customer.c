/* SQL of customers and money: §6.5, §8. Every statement is bound to the project. */
#include "workflow/store/store_partner.h"

#define LOCAL(column)                                                                    \
    "to_char(" column " at time zone 'UTC' at time zone $5, 'YYYY-MM-DD HH24:MI')"

/* §6.5. $1 project, $2 user id or NULL: then the user of execution $4, or NULL: then the
 * customer with Telegram id $3; $5 time zone of formatted dates. 0: one object; no row:
 * no such customer. */
/* clang-format off */
const char wf_sql_customer[] =
    "select to_jsonb(q) from ("
    " select u.id, u.first_name, u.last_name, u.email, u.phone, u.telegram_id::text,"
    "  u.telegram_username, u.max_id::text, u.max_username, u.current_level,"
    "  u.referral_code, u.referred_by, " ISO("u.registered_at") " as registered_at,"
    "  " ISO("u.updated_at") " as updated_at, " LOCAL("u.registered_at")
    "  as registered_local, " LOCAL("u.updated_at") " as updated_local,"
    "  trim_scale(u.total_purchases) as total_purchases,"
    "  upper(u.partner_role::text) as partner_role, p.name as project_name, p.domain,"
    "  p.enable_partner_roles,"
    "  case when p.enable_partner_roles then (" PARTNER_CARD("u.project_id", "u.id") ")"
    "   end as partner,"
    "  o.slug as org_slug, u.partner_role <> 'client' or o.slug is not null as may_refer,"
    "  r.id as ref_id, r.first_name as ref_first, r.last_name as ref_last,"
    "  r.telegram_username as ref_username, b.balance, b.expiring, b.bonus_count,"
    "  t.earned, t.spent, t.tx_count, t.ref_bonus, t.ref_bonus_month,"
    "  (select count(*) from users c where c.project_id = u.project_id"
    "      and c.referred_by = u.id and c.is_active) as referral_count,"
    "  (select coalesce(jsonb_agg(x order by x.created_at desc), '[]') from ("
    "     select id, trim_scale(amount) as amount, type, description, created_at,"
    "            " ISO("created_at") " as at, " LOCAL("created_at") " as local,"
    "            is_referral_bonus"
    "       from transactions where user_id = u.id order by created_at desc limit 10) x)"
    "  as last_transactions,"
    "  (select coalesce(jsonb_agg(y order by y.created_at desc), '[]') from ("
    "     select id, trim_scale(amount) as amount, type, description, created_at,"
    "            " ISO("created_at") " as at, " ISO("expires_at") " as expires,"
    "            " LOCAL("expires_at") " as expires_local"
    "       from bonuses where user_id = u.id and " ACTIVE_BONUS
    "      order by created_at desc limit 50) y) as active_bonuses"
    "  from users u join projects p on p.id = u.project_id"
    "  left join users r on r.id = u.referred_by"
    "  left join lateral (select slug from (" PARTNER_MEMBERSHIPS("u.project_id", "u.id")
    "     ) ms where refers" PARTNER_ORDER " limit 1) o on true"
    "  cross join lateral (select trim_scale(coalesce(sum(amount), 0)) as balance,"
    "     count(*) as bonus_count, trim_scale(coalesce(sum(amount) filter ("
    "     where expires_at <= " NOW " + interval '30 days'), 0)) as expiring"
    "     from bonuses where user_id = u.id and " ACTIVE_BONUS ") b"
    "  cross join lateral (select"
    "     trim_scale(coalesce(sum(amount) filter (where type = 'EARN'), 0)) as earned,"
    "     trim_scale(coalesce(sum(abs(amount)) filter (where type = 'SPEND'), 0)) as spent,"
    "     count(*) as tx_count, trim_scale(coalesce(sum(amount) filter ("
    "       where type = 'EARN' and is_referral_bonus), 0)) as ref_bonus,"
    "     trim_scale(coalesce(sum(amount) filter (where type = 'EARN' and is_referral_bonus"
    "       and created_at >= date_trunc('month', " NOW ")), 0)) as ref_bonus_month"
    "     from transactions where user_id = u.id) t"
    " where u.project_id = $1 and u.id = (select coalesce($2::text,"
    "   (select user_id from workflow_executions where id = $4),"
    "   (select id from users where project_id = $1 and telegram_id = $3::bigint)))) q";
/* clang-format on */

/* §9.6. $1 project, $2 user, $3 Telegram id. 0 id */
const char wf_sql_blocked[] =
    "update users set telegram_id = null, updated_at = " NOW
    " where id = $2 and project_id = $1 and telegram_id = $3::bigint returning id";

/* U-JSON with the balance of active bonuses. */
#define BALANCE_OF(u)                                                                    \
    "(select trim_scale(coalesce(sum(amount), 0)) from bonuses where user_id = " u ".id" \
    " and " ACTIVE_BONUS ")"

/* §8.3 check_user_by_platform. $1 project, $2 Telegram id, $3 MAX id, $4 phone, $5
 * e-mail, $6 the platform is MAX; NULL: not asked for. First hit in this order. 0
 * U-JSON+balance */
const char wf_sql_user_by_platform[] =
    "select " U_JSON("u") " || jsonb_build_object('balance', " BALANCE_OF(
        "u") ")"
             "  from users u where u.project_id = $1 and ("
             "   (not $6::boolean and u.telegram_id = $2::bigint)"
             "   or u.max_id = case when $6::boolean then coalesce($2, $3)::bigint else "
             "$3::bigint end"
             "   or u.phone = $4 or u.email = $5)"
             " order by (not $6::boolean and u.telegram_id = $2::bigint) is true desc,"
             "  (u.max_id = case when $6::boolean then coalesce($2, $3)::bigint else "
             "$3::bigint end)"
             "    is true desc, (u.phone = $4) is true desc limit 1";

/* §8.3 check_user_by_contact. $1 project, $2 Telegram id, $3 phones in order of
 * preference, $4 e-mail, $5 the platform is MAX. 0 U-JSON */
const char wf_sql_user_by_contact[] = "select " U_JSON(
    "u") "  from users u where u.project_id = $1 and ("
         "   (case when $5::boolean then u.max_id else u.telegram_id end) = $2::bigint"
         "   or u.phone = any ($3::text[]) or u.email = $4)"
         " order by ((case when $5::boolean then u.max_id else u.telegram_id end) = "
         "$2::bigint)"
         "   is true desc, array_position($3::text[], u.phone) nulls last limit 1";

/* Who holds one of these. $1 project, $2 phone, $3 e-mail, $4 id. 0 id, 1 U-JSON+balance
 * and the whole name */
const char wf_sql_user_any_contact[] =
    "select u.id, " U_JSON("u") " || jsonb_build_object('balance', " BALANCE_OF(
        "u") ","
             "   'name', nullif(btrim(concat_ws(' ', u.first_name, u.last_name)), ''))"
             " from users u where u.project_id = $1"
             " and (u.id = $4 or u.phone = any ($2::text[]) or u.email = $3)"
             " order by (u.id = $4) is true desc, array_position($2::text[], u.phone) "
             "nulls last limit 1";

/* $1 id, $2 project, $3 first name, $4 last name, $5 phone, $6 e-mail, $7 Telegram id, $8
 * its user name, $9 MAX id, $10 its user name. 0 U-JSON */
const char wf_sql_user_create[] =
    "insert into users as u (id, project_id, first_name, last_name, phone, email, "
    "is_active,"
    "  telegram_id, telegram_username, max_id, max_username, updated_at)"
    " values ($1, $2, $3, $4, $5, $6, true, $7::bigint, $8, $9::bigint, $10, " NOW ")"
    " on conflict do nothing returning " U_JSON("u");

/* After a clash of create_user: the customer that is there, linked if it was not. $1
 * project, $2 phone, $3 e-mail, $4 Telegram id, $5 its user name, $6 MAX id. 0 U-JSON */
const char wf_sql_user_adopt[] =
    "update users u set telegram_id = coalesce(u.telegram_id, case when not exists ("
    "     select 1 from users x where x.project_id = $1 and x.telegram_id = $4::bigint)"
    "     then $4::bigint end),"
    "   telegram_username = coalesce(u.telegram_username, $5),"
    "   max_id = coalesce(u.max_id, case when not exists ("
    "     select 1 from users x where x.max_id = $6::bigint) then $6::bigint end),"
    "   updated_at = " NOW " where u.id = (select id from users where project_id = $1"
    "   and (phone = $2 or email = $3 or telegram_id = $4::bigint or max_id = $6::bigint)"
    "   order by (phone = $2) is true desc, (email = $3) is true desc limit 1)"
    " returning " U_JSON("u");

/* Finds as above, locks, and names the row to the statements behind it in the same
 * transaction (FOUND). $1 project, $2 phones, $3 e-mail, $4 id. 0 id, 2 there is a
 * pending referral */
const char wf_sql_user_found[] =
    "select u.id, set_config('bulwark.found', u.id, true),"
    " u.metadata ? 'pendingReferral' from users u"
    " where u.project_id = $1 and u.id = (select x.id from users x where x.project_id = "
    "$1"
    "   and (x.id = $4 or x.phone = any ($2::text[]) or x.email = $3)"
    "   order by (x.id = $4) is true desc, array_position($2::text[], x.phone) nulls last"
    "   limit 1) for update";

/* $1 user, $2 project. 0 id, 1 there is a pending referral */
const char wf_sql_user_lock[] =
    "select id, metadata ? 'pendingReferral' from users where id = $1 and project_id = $2"
    " for update";

/* Takes a messenger id from whoever else in the project has it. $1 user or NULL: FOUND,
 * $2 project, $3 Telegram id, $4 the platform is MAX. 0 id of the other */
const char wf_sql_user_detach[] =
    "update users set telegram_id = case when $4::boolean then telegram_id end,"
    "       max_id = case when not $4::boolean then max_id end,"
    "       is_active = false, updated_at = " NOW
    " where project_id = $2 and id <> " FOUND
    "   and (case when $4::boolean then max_id else telegram_id end) = $3::bigint"
    "   and exists (select 1 from users where id = " FOUND " and project_id = $2)"
    " returning id";

/* $1 user or NULL: FOUND, $2 project, $3 Telegram id, $4 its user name (NULL keeps), $5
 * phone (NULL keeps), $6 the platform is MAX. 0 U-JSON */
const char wf_sql_user_activate[] =
    "update users u set"
    "   telegram_id = case when $6::boolean then telegram_id else $3::bigint end,"
    "   telegram_username = case when $6::boolean then telegram_username"
    "                            else coalesce($4, telegram_username) end,"
    "   max_id = case when $6::boolean then $3::bigint else max_id end,"
    "   max_username = case when $6::boolean then coalesce($4, max_username)"
    "                       else max_username end,"
    "   phone = coalesce($5, phone), is_active = true, updated_at = " NOW
    " where u.id = " FOUND " and u.project_id = $2 returning " U_JSON("u");

/* §8.3 activate_user 4: once only. $1 user, $2 project, $3 id of the bonus, $4 id of the
 * transaction */
const char wf_sql_user_welcome[] =
    "with b as ("
    " insert into bonuses (id, user_id, amount, type, description, expires_at, "
    "external_id,"
    "                      created_at)"
    " select $3, u.id, r.welcome_bonus, 'WELCOME',"
    "        'Приветственные бонусы за активацию аккаунта',"
    "        " NOW
    " + make_interval(days => p.bonus_expiry_days), 'welcome:' || u.id, " NOW
    "   from users u join projects p on p.id = u.project_id"
    "   join referral_programs r on r.project_id = p.id"
    "  where u.id = $1 and u.project_id = $2 and r.welcome_bonus > 0"
    "    and r.welcome_reward_type = 'bonus'"
    "    and not exists (select 1 from bonuses x where x.user_id = u.id and x.type = "
    "'WELCOME')"
    " on conflict (external_id) do nothing"
    " returning id, user_id, amount, description, external_id)"
    " insert into transactions (id, user_id, bonus_id, amount, type, description, "
    "external_id,"
    "                           created_at)"
    " select $4, user_id, id, amount, 'EARN', description, external_id, " NOW " from b"
    " on conflict (external_id) do nothing";

/* $1 user, $2 project. 0 U-JSON */
const char wf_sql_user_json[] =
    "select " U_JSON("u") " from users u where u.id = $1 and u.project_id = $2";

/* $1 user, $2 project, $3 the object's members phone, email, firstName, lastName as JSON;
 * $4…$7: the same values. 0 U-JSON */
const char wf_sql_user_update[] =
    "update users u set phone = case when $3::jsonb ? 'phone' then $4 else phone end,"
    "   email = case when $3::jsonb ? 'email' then $5 else email end,"
    "   first_name = case when $3::jsonb ? 'firstName' then $6 else first_name end,"
    "   last_name = case when $3::jsonb ? 'lastName' then $7 else last_name end,"
    "   updated_at = " NOW
    " where u.id = $1 and u.project_id = $2 returning " U_JSON("u");

/* $1 project, $2 messenger id, $3 phone, $4 e-mail, $5 the platform is MAX. 0 reduced
 * object, 1 id */
const char wf_sql_user_contact[] =
    "update users u set phone = coalesce($3, phone), email = coalesce($4, email),"
    "   updated_at = " NOW " where u.project_id = $1"
    "   and (case when $5::boolean then u.max_id else u.telegram_id end) = $2::bigint"
    " returning jsonb_build_object('id', u.id, 'projectId', u.project_id, 'email', "
    "u.email,"
    "   'phone', u.phone, 'firstName', u.first_name, 'lastName', u.last_name,"
    "   'telegramId', u.telegram_id::text, 'telegramUsername', u.telegram_username,"
    "   'maxId', u.max_id::text, 'maxUsername', u.max_username, 'isActive', "
    "u.is_active), u.id";

/* $1 user, $2 project, $3 date. 0 object */
const char wf_sql_user_birthday[] =
    "update users u set birth_date = $3::date, updated_at = " NOW
    " where u.id = $1 and u.project_id = $2 returning jsonb_build_object('id', u.id,"
    " 'birthDate', to_char(u.birth_date, 'YYYY-MM-DD\"T00:00:00.000Z\"'), 'success', "
    "true)";

/* $1 user, $2 project. 0 object */
const char wf_sql_user_metadata[] =
    "select jsonb_build_object('userId', id, 'metadata', coalesce(metadata, '{}'::jsonb))"
    "  from users where id = $1 and project_id = $2";

/* $1 user, $2 project, $3 members to set, $4 keys to delete. 0 object */
const char wf_sql_user_metadata_set[] =
    "update users set metadata = (coalesce(metadata, '{}'::jsonb) || $3::jsonb) - "
    "$4::text[],"
    "       updated_at = " NOW " where id = $1 and project_id = $2"
    " returning jsonb_build_object('userId', id, 'metadata', metadata, 'success', true)";

/* §8.4. $1 user, $2 project. 0 object; no row: no such customer */
const char wf_sql_balance[] =
    "select jsonb_build_object('userId', u.id, 'balance', b.balance, 'totalEarned', "
    "t.earned,"
    "  'totalSpent', t.spent, 'expiringSoon', b.expiring)"
    "  from users u cross join lateral (select trim_scale(coalesce(sum(amount), 0)) as "
    "balance,"
    "     trim_scale(coalesce(sum(amount) filter (where expires_at >= " NOW
    "       and expires_at <= " NOW " + interval '30 days'), 0)) as expiring"
    "     from bonuses where user_id = u.id and " ACTIVE_BONUS ") b"
    "  cross join lateral (select"
    "     trim_scale(coalesce(sum(amount) filter (where type = 'EARN'), 0)) as earned,"
    "     trim_scale(coalesce(sum(abs(amount)) filter (where type = 'SPEND'), 0)) as "
    "spent"
    "     from transactions where user_id = u.id) t"
    " where u.id = $1 and u.project_id = $2";

/* $1 user, $2 project, $3 limit. 0 array */
const char wf_sql_transactions[] =
    "select coalesce(jsonb_agg(jsonb_build_object('id', id, 'userId', user_id, "
    "'bonusId', bonus_id,"
    "  'amount', trim_scale(amount), 'type', type, 'description', description,"
    "  'metadata', metadata, 'createdAt', " ISO(
        "created_at") ", 'appliedPercent',"
                      "  applied_percent, 'isReferralBonus', is_referral_bonus, "
                      "'externalId', external_id,"
                      "  'referralUserId', referral_user_id, 'referralLevel', "
                      "referral_level,"
                      "  'userLevel', user_level) order by created_at desc, id desc), "
                      "'[]')"
                      "  from (select t.* from transactions t join users u on u.id = "
                      "t.user_id"
                      "         where u.id = $1 and u.project_id = $2"
                      "         order by t.created_at desc, t.id desc limit $3::integer) "
                      "t";

/* $1 user, $2 project. 0 object */
const char wf_sql_stats[] = "select jsonb_build_object('user', " U_JSON(
    "u") ", 'stats', jsonb_build_object("
         "  'totalEarned', t.earned, 'totalSpent', t.spent, "
         "'currentBalance', " BALANCE_OF(
             "u") ", 'transactionCount', t.n))"
                  "  from users u cross join lateral (select count(*) as n,"
                  "     trim_scale(coalesce(sum(amount) filter (where type = 'EARN'), "
                  "0)) as earned,"
                  "     trim_scale(coalesce(sum(abs(amount)) filter (where type = "
                  "'SPEND'), 0)) as spent"
                  "     from transactions where user_id = u.id) t"
                  " where u.id = $1 and u.project_id = $2";

/* §8.4 get_referral_link: makes the code if there is none and he may refer: the first
 * eight digits of the hash that are nobody's. Who does so at the same time waits and gets
 * the same. 23505: somebody else has just got these digits. $1 user, $2 project. 0 code,
 * 1 domain, 2 project's name, 3 slug of the best membership or null, 4 may refer */
const char wf_sql_referral[] =
    "with m as (select o.slug from partner_organization_memberships m"
    "   join partner_organizations o on o.id = m.organization_id and o.is_active"
    "  where m.project_id = $2 and m.user_id = $1 and (m.can_manage or m.level is not "
    "null)"
    "  order by m.can_manage desc, m.level desc limit 1),"
    " c as (select u.id, u.referral_code as code, p.domain, p.name,"
    "   not p.enable_partner_roles or u.partner_role <> 'client'"
    "    or exists (select 1 from m) as refers"
    "   from users u join projects p on p.id = u.project_id"
    "  where u.id = $1 and u.project_id = $2),"
    " made as (update users u set referral_code = coalesce(u.referral_code, ("
    "   select x.code from (select n, upper(substr(md5(u.id), 8 * n + 1, 8)) as code"
    "     from generate_series(0, 3) n) x"
    "    where not exists (select 1 from users o where o.referral_code = x.code)"
    "    order by n limit 1))"
    "   from c where u.id = c.id and c.refers and c.code is null"
    "  returning u.referral_code)"
    " select coalesce((select referral_code from made), c.code), c.domain, c.name,"
    "  (select slug from m), c.refers from c";

/* $1 user, $2 project. 0 boolean */
const char wf_sql_welcomed[] =
    "select exists (select 1 from bonuses b join users u on u.id = b.user_id"
    " where u.id = $1 and u.project_id = $2 and b.type = 'WELCOME')";

/* §3.9.3: what one visit of a node did is known by this key; visits of earlier jobs of
 * the execution are counted by their log rows, up to the step where this job took it. */
#define EXTERNAL_ID(execution, node, visit, before)                                      \
    "'wf:' || " execution " || ':' || " node " || ':' || (" visit "::integer + ("        \
    "select count(*) from workflow_logs where execution_id = " execution                 \
    " and node_id = " node " and step <= " before "::integer))"

/* $1 id of the bonus, $2 user, $3 project, $4 amount, $5 type, $6 description, $7 expiry
 * or NULL, $8 id of the transaction, $9 execution, $10 node, $11 visit in this job, $12
 * steps before it. The customer's row is locked first, by user_lock in the same batch. 0
 * bonus object, 1 it is new; no row: no customer */
#define BONUS_JSON                                                                       \
    "jsonb_build_object('id', id, 'userId', user_id, 'amount', trim_scale(amount),"      \
    " 'type', type, 'description', description, 'expiresAt', " ISO(                      \
        "expires_at") ", 'isUsed', is_used, 'createdAt', " ISO("created_at") ")"
const char wf_sql_add_bonus[] = "with x as materialized (select " EXTERNAL_ID(
    "$9::text", "$10::text", "$11",
    "$12") " as id),"
           " b as (insert into bonuses (id, user_id, amount, type, description, "
           "expires_at,"
           "                            external_id, created_at)"
           " select $1, u.id, $4::numeric, $5, $6, coalesce($7::timestamp, " NOW
           "        + make_interval(days => p.bonus_expiry_days)), x.id, " NOW
           "   from users u join projects p on p.id = u.project_id cross join x"
           "  where u.id = $2 and u.project_id = $3 on conflict (external_id) do nothing "
           "returning *),"
           " t as (insert into transactions (id, user_id, bonus_id, amount, type, "
           "description,"
           "                                 external_id, created_at)"
           " select $8, user_id, id, amount, 'EARN', coalesce(description,"
           "        'Начислено ' || trim_scale(amount) || ' бонусов'), external_id, " NOW
           " from b"
           " on conflict (external_id) do nothing)"
           " select " BONUS_JSON ", true from b union all"
           " select " BONUS_JSON
           ", false from bonuses where external_id = (select id from x)";

/* §8.4 spend_bonus: check and update in one statement, behind user_lock in the same
 * batch. $1 user, $2 project, $3 amount, $4 description, $5 id of the transaction, $6
 * owner of the effect, $7 node, $8 visit in this job, $9 workflow, $10 execution, $11
 * steps before this job. 0 the
 * customer exists, 1 active
 * total, 2 result of this very visit if it was done before, 3 result of now, null when
 * the balance is too small */
const char wf_sql_spend_bonus[] = "with x as materialized (select " EXTERNAL_ID(
    "$6::text", "$7::text", "$8",
    "$11") " as id),"
           " done as materialized (select metadata -> 'result' as result from "
           "transactions"
           "   where external_id = (select id from x)),"
           " who as materialized (select id from users where id = $1 and project_id = "
           "$2),"
           " b as materialized (select id, amount, created_at from bonuses"
           "   where user_id = (select id from who) and amount > 0 and " ACTIVE_BONUS
           "   and not exists (select 1 from done) order by created_at, id for update),"
           " t as materialized (select coalesce(sum(amount), 0) as total from b),"
           " p as materialized (select id, amount, created_at, least(amount, greatest(0,"
           "   $3::numeric - (sum(amount) over (order by created_at, id) - amount))) as "
           "take"
           "   from b where (select total from t) >= $3::numeric),"
           " used as (update bonuses y set amount = y.amount - p.take, is_used = "
           "y.amount "
           "= p.take"
           "   from p where y.id = p.id and p.take > 0),"
           " now_result as (select jsonb_build_object('spent', trim_scale($3::numeric),"
           "   'remaining', trim_scale(total - $3::numeric)) as result from t"
           "   where total >= $3::numeric and exists (select 1 from who)"
           "     and not exists (select 1 from done)),"
           " tx as (insert into transactions (id, user_id, amount, type, description, "
           "metadata,"
           "                                  external_id, created_at)"
           "   select $5, who.id, $3::numeric, 'SPEND', coalesce($4,"
           "     'Списано ' || trim_scale($3::numeric) || ' бонусов'), "
           "jsonb_build_object("
           "     'source', 'workflow', 'workflowId', $9::text, 'executionId', $10::text,"
           "     'nodeId', $7::text, 'allocations', (select "
           "coalesce(jsonb_agg(jsonb_build_object("
           "     'bonusId', p.id, 'amount', trim_scale(p.take)) order by p.created_at, "
           "p.id), '[]')"
           "     from p where p.take > 0), 'result', now_result.result), x.id, " NOW
           "   from who, now_result, x)"
           " select exists (select 1 from who), (select trim_scale(total) from t),"
           "  (select result from done), (select result from now_result)";
