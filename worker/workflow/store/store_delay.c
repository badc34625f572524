/* SQL of executions that wait for time to pass. §3.9.4 */
#include "workflow/store/store_text.h"

/* The claim, exactly one job wins; the payload stays with the job's mark, as in `claim`.
 * $1 id, $2 project, $4 the job's key, $5 its attempts made, and $3 of the condition.
 *
 * 0 session, 1 workflow, 2 version, 3 user, 4 step count, 5 payload, 6 chat, 7 the user's
 * Telegram id, 8 its user name, 9 first name, 10 current node. No row: it does not wait
 * for this job. */
#define CLAIM(condition)                                                                 \
    "update workflow_executions e"                                                       \
    "   set status = 'running', wait_type = null,"                                       \
    "       wait_payload = coalesce(o.payload, '{}'::jsonb)"                             \
    "         || jsonb_build_object('claimedBy', $4::text, 'waitType', o.wait_type)"     \
    "         || " JOBS(                                                                 \
        "o.payload", "$4", "$5",                                                         \
        "null") "  from (select id, wait_type,"                                          \
                "               case when jsonb_typeof(wait_payload) = 'object' then "   \
                "wait_payload "                                                          \
                "               end as payload"                                          \
                "          from workflow_executions where id = $1 and project_id = $2"   \
                "           and ((status = 'waiting' and " condition ")"                 \
                "                or (status = 'running' and wait_payload ->> "           \
                "'claimedBy' = $4))"                                                     \
                "           and not " JOB_IS_OVER(                                       \
                    "wait_payload", "$4",                                                \
                    "$5") " for update) o"                                               \
                          "  left join lateral (select u.telegram_id, "                  \
                          "u.telegram_username, u.first_name"                            \
                          "      from users u, workflow_executions x where x.id = o.id " \
                          "and u.id = x.user_id) "                                       \
                          "p on true"                                                    \
                          " where e.id = o.id"                                           \
                          " returning e.session_id, e.workflow_id, e.version, "          \
                          "e.user_id,"                                                   \
                          "  coalesce(e.step_count, 0), o.payload - "                    \
                          "'{claimedBy,waitType,jobs}'::text[],"                         \
                          "  e.telegram_chat_id, p.telegram_id::text, "                  \
                          "p.telegram_username, p.first_name,"                           \
                          "  e.current_node_id"

/* $3: the queue's id of the job. */
const char wf_sql_delayed[] =
    CLAIM("wait_type = 'delay' and coalesce(wait_payload ->> 'jobId', $3) = $3");

/* $3: the node that waits. */
const char wf_sql_expired[] =
    CLAIM("wait_type is distinct from 'delay' and current_node_id = $3"
          " and wait_payload ->> 'expiresAt' <= " ISO(NOW));
