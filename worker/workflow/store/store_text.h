/* Parts of SQL that both files of statements are built from, and the statements' texts.
 */
#ifndef WORKFLOW_STORE_TEXT_H
#define WORKFLOW_STORE_TEXT_H

#include "workflow/store/store.h"

/* Timestamps are without time zone and hold UTC (§0.3). */
#define NOW "(now() at time zone 'UTC')"

#define ISO(column) "to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

/* In a group a session belongs to one person (§3.5); NULL: a private chat. */
#define PERSON(prefix)                                                                   \
    "(" prefix "::text is null or split_part(session_id, '_', 2)"                        \
    " = split_part(" prefix ", '_', 2))"

/* §3.9.2: the jobs that touched a row, the last eight, as its wait_payload keeps them:
 * `payload` with job `key` (started `atm` attempts after its first) and its result, NULL
 * while it has none. */
#define JOBS_OF(payload)                                                                 \
    "jsonb_array_elements(case when jsonb_typeof(" payload " -> 'jobs') = 'array'"       \
    " then " payload " -> 'jobs' end)"
#define JOBS(payload, key, atm, result)                                                  \
    "jsonb_build_object('jobs', coalesce((select jsonb_agg(t.j order by t.n) from"       \
    " (select j, n from " JOBS_OF(                                                       \
        payload) " with ordinality as a(j, n)"                                           \
                 "   where j ->> 'job' <> " key                                          \
                 "::text order by n desc limit 7) t), '[]'::jsonb)"                      \
                 " || jsonb_build_array(jsonb_build_object('job', " key                  \
                 "::text, 'atm', " atm "::integer, 'result', " result "::jsonb)))"
/* What stays of a payload when a wait is over. */
#define JOBS_KEPT(payload)                                                               \
    "case when " payload " ? 'jobs' then jsonb_build_object('jobs', " payload            \
    " -> 'jobs') end"
/* The job's end is recorded in the row. */
#define JOB_IS_OVER(payload, key, atm)                                                   \
    "exists (select 1 from " JOBS_OF(                                                    \
        payload) " j where j ->> 'job' = " key " and j ->> 'atm' = " atm                 \
                 "::text and jsonb_typeof(j -> 'result') = 'boolean')"
#define JOB_IS_NAMED(payload, key)                                                       \
    "(" payload " @> jsonb_build_object('jobs',"                                         \
    " jsonb_build_array(jsonb_build_object('job', " key "::text))))"

/* The user that is given as $1, or the one the statement `user_found` has found. */
#define FOUND "coalesce($1::text, nullif(current_setting('bulwark.found', true), ''))"

/* Not used and not expired (§2.3). */
#define ACTIVE_BONUS "not is_used and (expires_at is null or expires_at > " NOW ")"

/* §8.2: U-JSON of the row `u`. Ids of messengers are absent when NULL. */
#define U_JSON(u)                                                                        \
    "jsonb_strip_nulls(jsonb_build_object('telegramId', " u ".telegram_id::text,"        \
    " 'maxId', " u ".max_id::text)) || jsonb_build_object('id', " u ".id,"               \
    " 'projectId', " u ".project_id, 'email', " u ".email, 'phone', " u ".phone,"        \
    " 'firstName', " u ".first_name, 'lastName', " u ".last_name,"                       \
    " 'birthDate', to_char(" u ".birth_date, 'YYYY-MM-DD\"T00:00:00.000Z\"'),"           \
    " 'telegramUsername', " u ".telegram_username, 'maxUsername', " u ".max_username,"   \
    " 'isActive', " u ".is_active, 'registeredAt', " ISO(                                \
        u                                                                                \
        ".registered_at") ","                                                            \
                          " 'updatedAt', " ISO(                                          \
                              u                                                          \
                              ".updated_at") ", 'currentLevel', " u ".current_level,"    \
                                             " 'referralCode', " u                       \
                                             ".referral_code, 'referredBy', " u          \
                                             ".referred_by,"                             \
                                             " 'totalPurchases', trim_scale(" u          \
                                             ".total_purchases)) || jsonb_build_object(" \
                                             " 'utmCampaign', " u                        \
                                             ".utm_campaign, 'utmContent', " u           \
                                             ".utm_content,"                             \
                                             " 'utmMedium', " u                          \
                                             ".utm_medium, 'utmSource', " u              \
                                             ".utm_source,"                              \
                                             " 'utmTerm', " u ".utm_term)"

#define X(name, params) extern const char wf_sql_##name[];
WF_STATEMENTS(X)
#undef X

#endif
