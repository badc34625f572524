/* What PostgreSQL would say: rows the state gives, else what the store knows. */
#include <string.h>

#include "base/assert.h"
#include "workflow/authoring/dry/dry_answer.h"
#include "workflow/authoring/dry/dry_change.h"
#include "workflow/authoring/dry/dry_execution.h"
#include "workflow/authoring/dry/dry_money.h"
#include "workflow/authoring/dry/dry_partner.h"
#include "workflow/authoring/dry/dry_person.h"
#include "workflow/authoring/dry/dry_team.h"
#include "workflow/authoring/dry/dry_variables.h"
#include "workflow/base/mem.h"

/* Locks and what is cleaned up do nothing here, and no chat moves; clock and ledger of
 * scheduled runs are not part of a dry run. */
static json_t *nothing(struct wf_dry *dry, const json_t *params)
{
    (void)dry;
    (void)params;
    return dry_no_rows();
}

/* Every statement that the engine may send has its row; a test asks for each. */
static dry_statement *const answers[WF_SQL_COUNT] = {
    [WF_SQL_project] = dry_sql_project,
    [WF_SQL_versions] = dry_sql_versions,
    [WF_SQL_version] = dry_sql_version,
    [WF_SQL_lookup] = dry_sql_lookup,
    [WF_SQL_claim] = dry_sql_claim,
    [WF_SQL_insert] = dry_sql_insert,
    [WF_SQL_preload] = dry_sql_preload,
    [WF_SQL_flush] = dry_sql_flush,
    [WF_SQL_moved] = nothing,
    [WF_SQL_rehomed] = nothing,
    [WF_SQL_set_variable] = dry_sql_set_variable,
    [WF_SQL_purge] = nothing,
    [WF_SQL_writable] = nothing,
    [WF_SQL_advisory_lock] = nothing,
    [WF_SQL_customer] = dry_sql_customer,
    [WF_SQL_blocked] = dry_sql_blocked,
    [WF_SQL_user_by_platform] = dry_sql_user_by_platform,
    [WF_SQL_user_by_contact] = dry_sql_user_by_contact,
    [WF_SQL_user_any_contact] = dry_sql_user_any_contact,
    [WF_SQL_user_found] = dry_sql_user_found,
    [WF_SQL_user_create] = dry_sql_user_create,
    [WF_SQL_user_adopt] = dry_sql_user_adopt,
    [WF_SQL_user_lock] = dry_sql_user_lock,
    [WF_SQL_user_detach] = dry_sql_user_detach,
    [WF_SQL_user_activate] = dry_sql_user_activate,
    [WF_SQL_user_welcome] = dry_sql_user_welcome,
    [WF_SQL_user_referral] = dry_sql_user_referral,
    [WF_SQL_user_json] = dry_sql_user_json,
    [WF_SQL_user_update] = dry_sql_user_update,
    [WF_SQL_user_contact] = dry_sql_user_contact,
    [WF_SQL_user_birthday] = dry_sql_user_birthday,
    [WF_SQL_user_metadata] = dry_sql_user_metadata,
    [WF_SQL_user_metadata_set] = dry_sql_user_metadata_set,
    [WF_SQL_balance] = dry_sql_balance,
    [WF_SQL_transactions] = dry_sql_transactions,
    [WF_SQL_stats] = dry_sql_stats,
    [WF_SQL_referral] = dry_sql_referral,
    [WF_SQL_welcomed] = dry_sql_welcomed,
    [WF_SQL_add_bonus] = dry_sql_add_bonus,
    [WF_SQL_spend_bonus] = dry_sql_spend_bonus,
    [WF_SQL_orders] = dry_sql_orders,
    [WF_SQL_partner_viewer] = dry_sql_partner_viewer,
    [WF_SQL_partner_team] = dry_sql_partner_team,
    [WF_SQL_partner_subject] = dry_sql_partner_subject,
    [WF_SQL_partner_payouts] = dry_sql_partner_payouts,
    [WF_SQL_partner_organization] = dry_sql_partner_organization,
    [WF_SQL_notify] = dry_sql_notify,
    [WF_SQL_witness] = dry_sql_witness,
    [WF_SQL_keep] = nothing,        /* for runs without Redis */
    [WF_SQL_claim_again] = nothing, /* for a database that came back older */
    [WF_SQL_delayed] = dry_sql_delayed,
    [WF_SQL_expired] = dry_sql_expired,
    [WF_SQL_sub_workflow] = dry_sql_sub_workflow,
    [WF_SQL_ledger] = nothing,
    [WF_SQL_ledger_version] = nothing,
    [WF_SQL_ledger_person] = nothing,
    [WF_SQL_ledger_before] = nothing,
    [WF_SQL_ledger_begin] = nothing,
    [WF_SQL_ledger_end] = nothing,
    [WF_SQL_scan_versions] = nothing,
    [WF_SQL_scan_birthdays] = nothing,
    [WF_SQL_scan_customers] = nothing,
    [WF_SQL_scan_claim] = nothing,
    [WF_SQL_scan_claimed] = nothing,
    [WF_SQL_scan_unqueued] = nothing,
};

/* Rows as the state gives them; NULL: it does not. */
static json_t *stated(const struct wf_dry *dry, const char *name)
{
    const json_t *given = json_object_get(json_object_get(dry->state, "answers"), name);
    json_t *rows, *row, *cell;
    size_t i, j;

    if (given == NULL)
        return NULL;
    rows = dry_no_rows();
    json_array_foreach(given, i, row)
    {
        json_t *cells = wf_must(json_array());

        json_array_foreach(row, j, cell)
        {
            dry_append(cells, dry_cell(cell));
        }
        dry_append(rows, cells);
    }
    return rows;
}

const char *dry_answer_name(enum wf_sql sql)
{
    return wf_store_statement(sql)->name + strlen("wf_");
}

bool wf_dry_answers(enum wf_sql sql)
{
    return answers[sql] != NULL;
}

json_t *dry_answer(struct wf_dry *dry, enum wf_sql sql, const json_t *params)
{
    json_t *rows = stated(dry, dry_answer_name(sql)), *row;
    size_t i;

    if (rows != NULL)
        return rows;
    BW_ASSERT(answers[sql] != NULL);
    rows = answers[sql](dry, params);
    json_array_foreach(rows, i, row)
    {
        BW_ASSERT(json_array_size(row) == wf_store_statement(sql)->columns);
    }
    return rows;
}
