#include "workflow/needs.h"

#include <stdlib.h>
#include <string.h>

#include "pg/ask.h"
#include "pg/pool.h"
#include "workflow/base/mem.h"
#include "workflow/store/store.h"
#include "workflow/language/value.h"

/* Tables, the rights to them, their columns. What is not here, and a statement needs, is
 * found all the same, by asking for its plan; but a server then tells one thing a
 * statement. */
static const struct need {
    const char *table, *rights, *columns;
} needs[] = {
    { "bonus_levels", "select",
      "bonus_percent is_active max_amount min_amount name order "
      "payment_percent project_id" },
    { "bonuses", "select insert update",
      "amount created_at description expires_at external_id id is_used type "
      "user_id" },
    { "bot_settings", "select", "bot_token is_active project_id" },
    { "notifications", "select insert",
      "channel id message metadata project_id sent_at title user_id" },
    { "order_items", "select", "name order_id quantity" },
    { "orders", "select",
      "accounted_purchase_amount created_at id order_number project_id status "
      "total_amount user_id" },
    { "partner_join_requests", "select insert update",
      "created_at id organization_id project_id referrer_id reject_reason "
      "reviewed_at reviewed_by status updated_at user_id" },
    { "partner_organization_memberships", "select insert",
      "can_manage created_at id level organization_id "
      "outbound_referral_plan_id project_id title updated_at user_id" },
    { "partner_organizations", "select",
      "default_referral_commission_plan_id id is_active name project_id slug" },
    { "partner_referral_links", "select insert update delete",
      "child_user_id created_at id is_primary organization_id project_id "
      "referrer_user_id share_percent updated_at" },
    { "project_variables", "select", "key project_id value" },
    { "projects", "select",
      "bonus_behavior bonus_expiry_days bonus_mode bonus_percentage "
      "default_referral_commission_plan_id domain enable_partner_roles "
      "enable_partner_team_management first_purchase_discount_percent id "
      "is_active max_payment_percentage name operation_mode "
      "referral_join_requires_approval referral_plans_enabled welcome_bonus "
      "welcome_reward_type workflow_max_steps workflow_timeout_ms" },
    { "referral_attributions", "select insert",
      "commission_plan_id created_at id locked organization_id project_id "
      "referrer_id updated_at user_id" },
    { "referral_commission_plans", "select", "id is_active project_id" },
    { "referral_programs", "select",
      "bonus_percent cookie_lifetime description "
      "first_purchase_discount_percent id is_active min_purchase_amount "
      "payout_hold_days payout_min_amount project_id referrer_bonus "
      "welcome_bonus welcome_reward_type" },
    { "referral_stats_grants", "select", "project_id subject_user_id viewer_user_id" },
    { "scheduled_workflow_runs", "select insert update",
      "attempts bucket completed_at id last_error project_id queued_at "
      "started_at status updated_at user_id workflow_id workflow_version_id" },
    { "transactions", "select insert",
      "amount applied_percent bonus_id created_at description external_id id "
      "is_referral_bonus metadata referral_level referral_user_id type "
      "user_id user_level" },
    { "users", "select insert update",
      "birth_date current_level email first_name id is_active last_name "
      "max_id max_username metadata organization_id outbound_referral_plan_id "
      "partner_parent_id partner_role phone project_id referral_code "
      "referred_by registered_at telegram_id telegram_username "
      "total_purchases updated_at utm_campaign utm_content utm_medium "
      "utm_source utm_term" },
    { "workflow_executions", "select insert update",
      "current_node_id error finished_at id parent_execution_id project_id "
      "session_id started_at status step_count telegram_chat_id user_id "
      "version wait_payload wait_type workflow_id" },
    { "workflow_logs", "select insert",
      "branch_key data duration duration_ms error execution_id http_request "
      "http_response input_data level message node_id node_type output_data "
      "status step timestamp" },
    { "workflow_variables", "select insert update delete",
      "created_at expires_at id key project_id scope session_id updated_at "
      "user_id value workflow_id" },
    { "workflow_versions", "select",
      "created_at entry_node_id id is_active nodes settings variables version "
      "workflow_id" },
    { "workflows", "select", "connections id is_active project_id" },
};

/* $1 needs: [{"table", "rights": […], "columns": […]}]. 0 what is missing. */
static const char missing_sql[] =
    "with asked as (select * from jsonb_to_recordset($1::jsonb)"
    "   as r(\"table\" text, rights text[], columns text[])),"
    " known as (select *, to_regclass(quote_ident(\"table\")) as id from asked)"
    " select case when to_regnamespace(s) is null then 'schema ' || s || ' does not "
    "exist'"
    "        else 'no right to use schema ' || s end"
    "   from (select current_setting('search_path') as s) p"
    "  where current_schema() is null"
    " union all"
    " select 'table ' || \"table\" || ' is missing in schema ' || current_schema()"
    "   from known where id is null and current_schema() is not null"
    " union all"
    " select 'column ' || \"table\" || '.' || c || ' is missing'"
    "   from known, unnest(columns) c where id is not null"
    "    and not exists (select 1 from pg_attribute a where a.attrelid = id"
    "                      and a.attname = c and not a.attisdropped)"
    " union all"
    " select 'no right to ' || r || case when r in ('insert', 'update') then ' ' else '"
    " from ' end || \"table\" from known, unnest(rights) r where id is not null"
    "    and not has_table_privilege(id, r) and (r = 'delete'"
    "         or not has_any_column_privilege(id, r))"
    " union all"
    " select 'no right to select column ' || \"table\" || '.' || a.attname"
    "   from known join pg_attribute a on a.attrelid = id and a.attname = any (columns)"
    "    and not a.attisdropped where 'select' = any (rights)"
    "    and has_any_column_privilege(id, 'select')"
    "    and not has_column_privilege(id, a.attnum, 'select')"
    " union all"
    " select 'no right to use sequence ' || q from (select"
    "     pg_get_serial_sequence(\"table\", 'id') as q from known where id is not null"
    "      and 'insert' = any (rights) and exists (select 1 from pg_attribute a"
    "          where a.attrelid = id and a.attname = 'id' and not a.attisdropped)) t"
    "  where q is not null and not has_sequence_privilege(q, 'usage')"
    " union all"
    " select 'the server is read-only' where"
    " current_setting('transaction_read_only')::boolean";

static json_t *words(const char *text)
{
    json_t *list = wf_must(json_array());

    while (*text != '\0') {
        size_t len = strcspn(text, " ");

        if (json_array_append_new(list, wf_must(json_stringn(text, len))) != 0)
            (void)wf_must(NULL);
        text += len + strspn(text + len, " ");
    }
    return list;
}

static char *needs_json(void)
{
    json_t *list = wf_must(json_array());
    char *text;

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        json_t *need = wf_must(json_object());

        wf_json_set_text(need, "table", needs[i].table);
        wf_json_set(need, "rights", words(needs[i].rights));
        wf_json_set(need, "columns", words(needs[i].columns));
        if (json_array_append_new(list, need) != 0)
            (void)wf_must(NULL);
    }
    text = wf_dumps(list);
    json_decref(list);
    return text;
}

struct check {
    const char *url;
    const struct bw_log *log;
    void (*found)(const char *text, void *arg);
    void *arg;
    size_t count;
};

static void tell(struct check *check, const char *text)
{
    check->count++;
    check->found(text, check->arg);
}

/* Everything that the table above names. */
static int ask_needs(struct check *check, struct bw_error *err)
{
    static const struct pg_statement statement = { "check_needs", missing_sql, 1 };
    struct pg_batch *batch = NULL;
    char *json = needs_json();
    const char *params[] = { json };
    int rc;

    wf_check(pg_batch_create(&batch));
    rc = pg_batch_add(batch, &statement, params, 1);
    wf_check(rc < 0 ? rc : BW_OK);
    rc = wk_ask_pg(check->url, check->log, batch, err);
    for (size_t row = 0; rc == BW_OK && row < pg_batch_rows(batch, 0); row++)
        tell(check, pg_batch_value(batch, 0, row, 0));
    pg_batch_destroy(&batch);
    free(json);
    return rc;
}

/* The plan of one statement. True: the server makes one. */
static int ask_plan(struct check *check, const struct wf_statement *wanted,
                    struct bw_error *err)
{
    char *sql = wf_printf("explain %s", wanted->text);
    struct pg_statement statement = { wanted->name, sql, wanted->params };
    const char *nulls[WF_PARAMS_MAX] = { NULL };
    struct pg_batch *batch = NULL;
    int rc;

    wf_check(pg_batch_create(&batch));
    rc = pg_batch_add(batch, &statement, nulls, wanted->params);
    wf_check(rc < 0 ? rc : BW_OK);
    rc = wk_ask_pg(check->url, check->log, batch, err);
    if (rc != BW_OK && pg_batch_outcome(batch) == PG_FAILED) {
        tell(check, pg_batch_message(batch));
        rc = BW_OK;
    }
    pg_batch_destroy(&batch);
    free(sql);
    return rc;
}

int wf_needs_check(const char *url, const struct bw_log *log,
                   void (*found)(const char *text, void *arg), void *arg,
                   struct bw_error *err)
{
    struct check check = { .url = url, .log = log, .found = found, .arg = arg };
    int rc = ask_needs(&check, err);

    /* only where the table says that all is well: else it would be said again */
    for (int sql = 0; rc == BW_OK && check.count == 0 && sql < WF_SQL_COUNT; sql++)
        rc = ask_plan(&check, wf_store_statement((enum wf_sql)sql), err);
    return rc;
}
