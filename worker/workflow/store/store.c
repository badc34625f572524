#include "workflow/store/store.h"

#include <assert.h>
#include <stddef.h>

#include "workflow/store/store_text.h"

/* 0 project object (§6.3), 1 bot token or null, 2 bot is_active, 3 max steps, 4 timeout
 * ms, 5 project variables, 6 active levels by min_amount. No row: no such project. */
const char wf_sql_project[] =
    "select jsonb_build_object('id', p.id, 'name', p.name, 'domain', p.domain,"
    " 'bonusPercentage', trim_scale(p.bonus_percentage),"
    " 'bonusExpiryDays', p.bonus_expiry_days,"
    " 'bonusBehavior', upper(p.bonus_behavior::text), 'bonusMode', "
    "upper(p.bonus_mode::text),"
    " 'operationMode', upper(p.operation_mode::text),"
    " 'welcomeBonus', trim_scale(p.welcome_bonus),"
    " 'welcomeBonusAmount', trim_scale(p.welcome_bonus),"
    " 'welcomeRewardType', upper(p.welcome_reward_type::text),"
    " 'firstPurchaseDiscountPercent', p.first_purchase_discount_percent,"
    " 'maxPaymentPercentage', trim_scale(p.max_payment_percentage), 'isActive', "
    "p.is_active,"
    " 'workflowMaxSteps', p.workflow_max_steps, 'workflowTimeoutMs', "
    "p.workflow_timeout_ms,"
    " 'enablePartnerRoles', p.enable_partner_roles,"
    " 'enablePartnerTeamManagement', p.enable_partner_team_management,"
    " 'referralJoinRequiresApproval', p.referral_join_requires_approval,"
    " 'referralPlansEnabled', p.referral_plans_enabled,"
    " 'referralProgram', case when r.id is null then"
    "   jsonb_build_object('welcomeBonus', trim_scale(p.welcome_bonus), 'isActive', "
    "false,"
    "                      'bonusPercent', 0, 'referrerBonus', 0)"
    "  else jsonb_build_object('id', r.id, 'projectId', r.project_id, 'isActive', "
    "r.is_active,"
    "   'bonusPercent', r.bonus_percent, 'referrerBonus', trim_scale(r.referrer_bonus),"
    "   'minPurchaseAmount', trim_scale(r.min_purchase_amount),"
    "   'cookieLifetime', r.cookie_lifetime, 'welcomeBonus', trim_scale(r.welcome_bonus),"
    "   'welcomeRewardType', upper(r.welcome_reward_type::text),"
    "   'firstPurchaseDiscountPercent', r.first_purchase_discount_percent,"
    "   'description', r.description, 'payoutMinAmount', trim_scale(r.payout_min_amount),"
    "   'payoutHoldDays', r.payout_hold_days) end)::text,"
    " b.bot_token, b.is_active, p.workflow_max_steps, p.workflow_timeout_ms,"
    " (select coalesce(jsonb_object_agg(v.key, v.value), '{}')::text"
    "    from project_variables v where v.project_id = p.id),"
    " (select coalesce(jsonb_agg(jsonb_build_object('name', l.name,"
    "    'min', trim_scale(l.min_amount), 'max', trim_scale(l.max_amount),"
    "    'bonusPercent', l.bonus_percent, 'paymentPercent', l.payment_percent,"
    "    'order', l.\"order\") order by l.min_amount, l.\"order\"), '[]')::text"
    "    from bonus_levels l where l.project_id = p.id and l.is_active), b.bot_username"
    "  from projects p"
    "  left join bot_settings b on b.project_id = p.id"
    "  left join referral_programs r on r.project_id = p.id"
    " where p.id = $1";

/* §3.2: 0 id, 1 workflow, 2 version, 3 nodes, 4 entry, 5 variables, 6 settings, 7
 * created_at, 8 connections, 9 younger than 10 s (§10.3 rule 4). */
#define VERSION_COLUMNS                                                                  \
    "select v.id, v.workflow_id, v.version, v.nodes, v.entry_node_id, v.variables,"      \
    " v.settings, " ISO("v.created_at") ", w.connections,"                               \
                                        " v.created_at > " NOW                           \
                                        " - interval '10 seconds'"                       \
                                        "  from workflow_versions v join workflows w "   \
                                        "on w.id = v.workflow_id"

const char wf_sql_versions[] =
    VERSION_COLUMNS " where w.project_id = $1 and w.is_active and v.is_active"
                    " order by v.created_at desc limit 20";

/* The same columns; $2 workflow, $3 version. */
const char wf_sql_version[] =
    VERSION_COLUMNS " where w.project_id = $1 and w.id = $2 and v.version = $3::integer";

/* $1 project, $2 chat, $3 reuse window in seconds, $4 Telegram id, $5 the person's
 * session prefix in a group (NULL: a private chat), $6 preferred execution id, $7 job
 * key, $8 the event is /start, $9 id of the execution that this attempt would begin.
 *
 * Rows that name the job come first, however old (§3.9.2).
 *
 * The customer with that Telegram id; the executions a session, a wait or a reuse can
 * come from (§3.5), the preferred one first; and, for /start, the cancelling of what
 * waits for typing (§3.6.2): its rows still show the state before. A row claimed by an
 * attempt of this very job that died counts as waiting.
 *
 * One row at least: 0 customer or null; then, null when there is no execution: 1 id, 2
 * workflow, 3 version, 4 session, 5 user, 6 status, 7 wait type, 8 wait payload, 9
 * current node, 10 step count, 11 preferred, 12 same chat, 13 never ran, 14 same project.
 */
const char wf_sql_lookup[] =
    "with gone as ("
    " update workflow_executions set status = 'cancelled', finished_at = " NOW
    ", wait_type = null, wait_payload = " JOBS_KEPT(
        "wait_payload") "  where $8::boolean and project_id = $1 and telegram_chat_id = "
                        "$2 and status = "
                        "'waiting'"
                        "    and wait_type in ('contact', 'input', 'location', 'poll')"
                        "    and strpos(session_id, '_sub_') = 0 and " PERSON(
                            "$5") "),"
                                  " near as ("
                                  " select id, workflow_id, version, session_id, "
                                  "user_id, status, wait_type, "
                                  "wait_payload,"
                                  "        current_node_id, step_count, started_at, "
                                  "telegram_chat_id, "
                                  "project_id,"
                                  "        false as preferred"
                                  "   from workflow_executions"
                                  "  where project_id = $1 and telegram_chat_id = $2"
                                  "    and (status = 'waiting' or started_at > " NOW
                                  " - make_interval(secs => $3::integer)"
                                  "         or (status = 'running' and wait_payload ->> "
                                  "'claimedBy' = $7)"
                                  "         or " JOB_IS_NAMED(
                                      "wait_payload",
                                      "$7") ")"
                                            "    and strpos(session_id, '_sub_') = 0 "
                                            "and " PERSON("$5") "  order "
                                                                "by " JOB_IS_NAMED(
                                                                    "wait_payload",
                                                                    "$7") " is true desc,"
                                                                          " (status = "
                                                                          "'waiting' and "
                                                                          "wait_type is "
                                                                          "distinct from "
                                                                          "'delay') desc,"
                                                                          "           "
                                                                          "started_at "
                                                                          "desc limit "
                                                                          "20),"
                                                                          " found as "
                                                                          "(select * "
                                                                          "from near "
                                                                          "union all"
                                                                          " select id, "
                                                                          "workflow_id, "
                                                                          "version, "
                                                                          "session_id, "
                                                                          "user_id, "
                                                                          "status, "
                                                                          "wait_type, "
                                                                          "wait_payload,"
                                                                          "        "
                                                                          "current_node_"
                                                                          "id, "
                                                                          "step_count, "
                                                                          "started_at, "
                                                                          "telegram_chat_"
                                                                          "id, "
                                                                          "project_id, "
                                                                          "true"
                                                                          "   from "
                                                                          "workflow_"
                                                                          "executions "
                                                                          "where id = $6"
                                                                          " union all"
                                                                          " select id, "
                                                                          "workflow_id, "
                                                                          "version, "
                                                                          "session_id, "
                                                                          "user_id, "
                                                                          "status, "
                                                                          "wait_type, "
                                                                          "wait_payload,"
                                                                          "        "
                                                                          "current_node_"
                                                                          "id, "
                                                                          "step_count, "
                                                                          "started_at, "
                                                                          "telegram_chat_"
                                                                          "id, "
                                                                          "project_id, "
                                                                          "false"
                                                                          "   from "
                                                                          "workflow_"
                                                                          "executions "
                                                                          "where id = $9"
                                                                          "    and id "
                                                                          "not in "
                                                                          "(select id "
                                                                          "from near))"
                                                                          " select "
                                                                          "w.user_id, "
                                                                          "e.id, "
                                                                          "e.workflow_id,"
                                                                          " e.version, "
                                                                          "e.session_id, "
                                                                          "e.user_id,"
                                                                          "  case when "
                                                                          "e.wait_"
                                                                          "payload ->> "
                                                                          "'claimedBy' = "
                                                                          "$7 then "
                                                                          "'waiting' "
                                                                          "else e.status "
                                                                          "end,"
                                                                          "  case when "
                                                                          "e.wait_"
                                                                          "payload ->> "
                                                                          "'claimedBy' = "
                                                                          "$7 then "
                                                                          "e.wait_"
                                                                          "payload ->> "
                                                                          "'waitType'"
                                                                          "       else "
                                                                          "e.wait_type "
                                                                          "end, "
                                                                          "e.wait_"
                                                                          "payload, "
                                                                          "e.current_"
                                                                          "node_id, "
                                                                          "coalesce(e."
                                                                          "step_count, "
                                                                          "0),"
                                                                          "  "
                                                                          "e.preferred, "
                                                                          "e.telegram_"
                                                                          "chat_id = $2,"
                                                                          "  "
                                                                          "e.step_count "
                                                                          "is null and "
                                                                          "e.current_"
                                                                          "node_id is "
                                                                          "null, "
                                                                          "e.project_id "
                                                                          "= $1"
                                                                          "  from "
                                                                          "(select "
                                                                          "(select id "
                                                                          "from users "
                                                                          "where "
                                                                          "project_id = "
                                                                          "$1 and "
                                                                          "telegram_id = "
                                                                          "$4::bigint)"
                                                                          "        as "
                                                                          "user_id) w "
                                                                          "left join "
                                                                          "found e on "
                                                                          "true"
                                                                          " order by "
                                                                          "e.preferred "
                                                                          "desc,"
                                                                          "  (e.status = "
                                                                          "'waiting' and "
                                                                          "e.wait_type "
                                                                          "is distinct "
                                                                          "from "
                                                                          "'delay') "
                                                                          "desc, "
                                                                          "e.started_at "
                                                                          "desc";

/* $1 project, $2 chat, $3 preferred execution, $4 the other candidate, $5 wait types, $6
 * job key, $7 Telegram id, $8 session prefix in a group.
 *
 * §3.7.1, exactly one worker wins. The payload stays, marked with the job, until the
 * flush: an attempt that dies here is continued by the next one, which finds its own
 * mark.
 *
 * 0 id, 1 session, 2 workflow, 3 version, 4 user (else the customer of that Telegram id),
 * 5 step count, 6 wait type, 7 wait payload, 8 current node. No row: someone else was
 * faster. */
const char wf_sql_claim[] =
    "update workflow_executions e"
    "   set status = 'running', wait_type = null,"
    "       wait_payload = coalesce(o.payload, '{}'::jsonb)"
    "         || jsonb_build_object('claimedBy', $6::text, 'waitType', o.wait_type)"
    "         || " JOBS(
        "o.payload", "$6", "$9",
        "null") "  from (select id, coalesce(wait_type, wait_payload ->> 'waitType') as "
                "wait_type,"
                "               case when jsonb_typeof(wait_payload) = 'object' then "
                "wait_payload end"
                "               as payload"
                "          from workflow_executions"
                "         where id in ($3, $4) and project_id = $1 and telegram_chat_id "
                "= $2"
                "           and ((status = 'waiting' and wait_type = any ($5::text[]))"
                "                or (status = 'running' and wait_payload ->> 'claimedBy' "
                "= $6))"
                "           and not " JOB_IS_OVER(
                    "wait_payload", "$6",
                    "$9") " and " PERSON("$8") "         order by id = $3 desc limit 1 "
                                               "for update) o"
                                               " where e.id = o.id"
                                               " returning e.id, e.session_id, "
                                               "e.workflow_id, e.version,"
                                               "  coalesce(e.user_id, (select u.id from "
                                               "users u where u.project_id = $1"
                                               "                        and "
                                               "u.telegram_id = $7::bigint)),"
                                               "  coalesce(e.step_count, 0), "
                                               "o.wait_type, o.payload - "
                                               "'{claimedBy,waitType,jobs}'::text[],"
                                               "  e.current_node_id";

/* $1 id, $2 project, $3 workflow, $4 version, $5 session, $6 user, $7 chat, $8
 * started_at, $9 the execution that called it, or NULL, $10 the job's key, $11 its
 * attempts made */
const char wf_sql_insert[] =
    "insert into workflow_executions (id, project_id, workflow_id, version, session_id, "
    "user_id,"
    " telegram_chat_id, status, started_at, parent_execution_id, wait_payload)"
    " values ($1, $2, $3, $4::integer, $5, $6, $7, 'running', $8::timestamp, $9,"
    "  jsonb_build_object('claimedBy', $10::text)"
    "   || " JOBS("null::jsonb", "$10", "$11", "null") ")"
                                                       " on conflict (id) do nothing";

/* $1 project, $2 workflow, $3 session, $4 user or NULL: then the user of execution $6, or
 * NULL: then the customer with Telegram id $5. §6.2, one branch a scope so that each can
 * use an index.
 *
 * 0 scope, 1 key, 2 value */
#define ALIVE " and (expires_at is null or expires_at > " NOW ")"
#define ROWS  "select scope, key, value, updated_at, id from workflow_variables"
const char wf_sql_preload[] =
    "with who as materialized (select coalesce($4::text,"
    "   (select user_id from workflow_executions where id = $6),"
    "   (select id from users where project_id = $1 and telegram_id = $5::bigint)) as id)"
    " select distinct on (scope, key) scope, key, value from ("
    " " ROWS " where project_id = $1 and workflow_id = $2 and session_id = $3"
    "    and scope = 'session' and user_id is null" ALIVE " union all " ROWS
    " where project_id = $1 and workflow_id = $2 and session_id = $3"
    "    and scope = 'session' and user_id = (select id from who)" ALIVE
    " union all " ROWS " where project_id = $1 and scope = 'user'"
    "    and user_id = (select id from who)" ALIVE " union all " ROWS
    " where project_id = $1 and scope = 'project' and workflow_id = $2" ALIVE
    " union all " ROWS " where project_id = $1 and scope = 'global'" ALIVE
    " ) r order by scope, key, updated_at desc, id desc";

/* The row is in the hands of this job, and has no later checkpoint. */
#define OURS(key, number)                                                                \
    " and coalesce(wait_payload ->> 'claimedBy', " key ") = " key                        \
    " and coalesce((wait_payload #>> '{checkpoint,seq}')::bigint, 0) " number "::bigint"

/* §3.10. $1 project, $2 workflow, $3 user, $4 session, $5 execution, $6 variables, $7
 * logs, $8 status, $9 error, $10 step count, $11 current node, $12 wait type, $13 wait
 * payload, $14 supersede, $15 reuse window in seconds, $16 the job's key, $17 its
 * attempts made, $18 its result, NULL while it goes on, $19 number of the run's last
 * checkpoint.
 *
 * 0 the execution is over, the next may go on with its session, and nothing else of the
 * chat is open. No row: it was not running.
 *
 * Everything hangs on the row being in the state `running`, with nobody else's mark, and
 * no further than the run: a flush that is repeated, because its answer was lost or its
 * job was redelivered, changes nothing the second time. */
const char wf_sql_flush[] =
    "with live as materialized ("
    " select id from workflow_executions where id = $5 and project_id = $1"
    "    and session_id = $4 and status = 'running'" OURS(
        "$16",
        "<= $19") " for update"
                  "), v as ("
                  " select key, coalesce(value, 'null'::jsonb) as value, expires_at"
                  "   from jsonb_to_recordset($6::jsonb) as r(key text, value jsonb, "
                  "expires_at "
                  "timestamp)"
                  "  where exists (select 1 from live)"
                  "), upd as ("
                  " update workflow_variables t set value = v.value, expires_at = "
                  "v.expires_at,"
                  "        updated_at = " NOW "   from v"
                  "  where t.project_id = $1 and t.workflow_id = $2 and (t.user_id = $3 "
                  "or t.user_id "
                  "is null)"
                  "    and t.session_id = $4 and t.scope = 'session' and t.key = v.key "
                  "returning t.key"
                  "), ins as ("
                  " insert into workflow_variables (project_id, workflow_id, user_id, "
                  "session_id, "
                  "scope, key,"
                  "        value, expires_at, created_at, updated_at)"
                  " select $1, $2, $3, $4, 'session', v.key, v.value, v.expires_at, " NOW
                  ", " NOW
                  "   from v where not exists (select 1 from upd where upd.key = v.key)"
                  "), logs as ("
                  " insert into workflow_logs (execution_id, step, node_id, node_type, "
                  "branch_key, "
                  "status,"
                  "        \"timestamp\", level, message, error, duration_ms, duration, "
                  "data, "
                  "input_data,"
                  "        output_data, http_request, http_response)"
                  " select $5, l.step, l.node_id, l.node_type, l.branch_key, l.status, "
                  "l.ts, l.level, "
                  "l.message,"
                  "        l.error, l.duration_ms, l.duration_ms, l.data, l.input_data, "
                  "l.output_data,"
                  "        l.http_request, l.http_response"
                  "   from jsonb_to_recordset($7::jsonb) as l(step int, node_id text, "
                  "node_type text,"
                  "        branch_key text, status text, ts timestamp, level text, "
                  "message text, error "
                  "jsonb,"
                  "        duration_ms int, data jsonb, input_data jsonb, output_data "
                  "jsonb,"
                  "        http_request jsonb, http_response jsonb)"
                  "  where exists (select 1 from live) order by l.ts"
                  "), superseded as ("
                  " update workflow_executions set status = 'cancelled', finished_at "
                  "= " NOW ",       wait_type = null, wait_payload = " JOBS_KEPT(
                      "wait_payload") "  where $14::boolean and project_id = $1 and "
                                      "session_id = $4 and status = 'waiting'"
                                      "    and wait_type is distinct from 'delay' and id "
                                      "<> $5 and exists (select 1 from "
                                      "live)"
                                      ") update workflow_executions e"
                                      "   set status = $8, error = $9, step_count = "
                                      "$10::integer, current_node_id = $11,"
                                      "       wait_type = $12, wait_payload = "
                                      "coalesce($13::jsonb, '{}'::jsonb) || " JOBS(
                                          "e.wait_payload", "$16", "$17",
                                          "$18") ", user_id = coalesce($3, e.user_id),"
                                                 "       finished_at = case when $8 in "
                                                 "('completed', 'failed', 'cancelled') "
                                                 "then " NOW " end"
                                                 "  from live where e.id = live.id"
                                                 " returning $8 = 'completed'"
                                                 "   and e.started_at > " NOW
                                                 " - make_interval(secs => $15::integer "
                                                 "- 60)"
                                                 "   and not exists (select 1 from "
                                                 "workflow_executions o"
                                                 "        where o.project_id = $1 and "
                                                 "o.telegram_chat_id = e.telegram_chat_id"
                                                 "          and o.status in ('waiting', "
                                                 "'running') and o.id <> e.id)";

/* What it has to say is personal: it goes on in the private chat. $1 execution, $2
 * project, $3 chat, $4 session. */
const char wf_sql_rehomed[] =
    "update workflow_executions set telegram_chat_id = $3, session_id = $4"
    " where id = $1 and project_id = $2";

/* The chat has another id now (§9.6). $1 execution, $2 project, $3 chat. */
const char wf_sql_moved[] =
    "update workflow_executions set telegram_chat_id = $3 where id = $1 and project_id = "
    "$2 and telegram_chat_id is not null and telegram_chat_id <> $3";

/* What the row says of its jobs. $1 id, $2 project. 0 status, 1 wait type, 2 wait
 * payload, 3 current node, 4 step count, 5 session, 6 workflow. No row: there is none. */
const char wf_sql_witness[] =
    "select status, wait_type, wait_payload, current_node_id, coalesce(step_count, 0),"
    "  session_id, workflow_id"
    "  from workflow_executions where id = $1 and project_id = $2";

/* §3.9.2: the checkpoint of a run that goes on without Redis. $1 id, $2 project, $3 job
 * key, $4 the job's attempts made, $5 checkpoint, $6 node, $7 step count, $8 its number.
 * No row: another run is further, or the row is somebody else's. */
const char wf_sql_keep[] =
    "update workflow_executions e"
    "   set wait_payload = case when jsonb_typeof(wait_payload) = 'object'"
    "         then wait_payload else '{}'::jsonb end"
    "         || jsonb_build_object('claimedBy', $3::text, 'checkpoint', $5::jsonb)"
    "         || " JOBS(
        "wait_payload", "$3", "$4",
        "null") ","
                "       current_node_id = $6, step_count = $7::integer"
                " where id = $1 and project_id = $2 and status = 'running'" OURS(
                    "$3", "< $8") " returning 1";

/* $1 project, $2 workflow, $3 user, $4 scope (user, project, global), $5 key, $6 value,
 * $7 ttl in seconds or NULL. All rows that match are written (§6.2). */
const char wf_sql_set_variable[] =
    "with upd as ("
    " update workflow_variables set value = $6::jsonb, updated_at = " NOW
    ",       expires_at = " NOW " + make_interval(secs => $7::integer)"
    "  where project_id = $1 and scope = $4 and key = $5"
    "    and ($4 <> 'user' or user_id = $3) and ($4 <> 'project' or workflow_id = $2)"
    " returning id)"
    " insert into workflow_variables (project_id, workflow_id, user_id, scope, key, "
    "value,"
    "        expires_at, created_at, updated_at)"
    " select $1, case when $4 <> 'global' then $2 end, case when $4 = 'user' then $3 "
    "end, $4, $5,"
    "        $6::jsonb, " NOW " + make_interval(secs => $7::integer), " NOW ", " NOW
    "  where not exists (select 1 from upd)";

/* §3.10, last sentence */
const char wf_sql_purge[] =
    "delete from workflow_variables where project_id = $1 and expires_at <= " NOW;

/* 0 `on` where nothing can be written: a standby, or a server that was told so */
const char wf_sql_writable[] = "select current_setting('transaction_read_only')";

/* §10.6: stands in for a Redis lock inside a money transaction */
const char wf_sql_advisory_lock[] =
    "select pg_advisory_xact_lock(hashtextextended($1, 0))";

const struct wf_statement *wf_store_statement(enum wf_sql sql)
{
    static const struct wf_statement statements[WF_SQL_COUNT] = {
#define X(name, params) [WF_SQL_##name] = { "wf_" #name, wf_sql_##name, params },
        WF_STATEMENTS(X)
#undef X
    };

    assert(sql < WF_SQL_COUNT);
    return &statements[sql];
}

enum wf_need wf_store_need(enum wf_sql sql)
{
    switch (sql) {
    case WF_SQL_project:
    case WF_SQL_versions:
    case WF_SQL_version:
    case WF_SQL_lookup:
    case WF_SQL_claim:
    case WF_SQL_insert:
    case WF_SQL_preload:
    case WF_SQL_flush:
    case WF_SQL_witness:
    case WF_SQL_keep:
    case WF_SQL_writable:
        return WF_NEED_ALL;
    case WF_SQL_delayed:
    case WF_SQL_expired:
    case WF_SQL_ledger:
    case WF_SQL_ledger_version:
    case WF_SQL_ledger_person:
    case WF_SQL_ledger_before:
    case WF_SQL_ledger_begin:
    case WF_SQL_ledger_end:
        return WF_NEED_KIND;
    default:
        return WF_NEED_NODE;
    }
}

bool wf_store_reads(enum wf_sql sql)
{
    switch (sql) {
    case WF_SQL_project:
    case WF_SQL_versions:
    case WF_SQL_version:
    case WF_SQL_preload:
    case WF_SQL_customer:
    case WF_SQL_witness:
    case WF_SQL_writable:
    case WF_SQL_advisory_lock:
    case WF_SQL_user_lock:
    case WF_SQL_balance:
    case WF_SQL_transactions:
    case WF_SQL_stats:
    case WF_SQL_welcomed:
    case WF_SQL_orders:
    case WF_SQL_sub_workflow:
    case WF_SQL_ledger:
    case WF_SQL_ledger_version:
    case WF_SQL_ledger_person:
    case WF_SQL_ledger_before:
        return true;
    default:
        return false;
    }
}
