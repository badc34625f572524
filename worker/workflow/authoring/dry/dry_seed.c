/* How the store of a dry run begins: what the state says, and the defaults of columns. */
#include "workflow/authoring/dry/dry_seed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "workflow/authoring/dry/dry_state.h"
#include "workflow/authoring/dry/dry_store.h"
#include "workflow/authoring/dry/dry_sums.h"
#include "workflow/base/mem.h"
#include "workflow/base/iso.h"

/* --- rows */

/* Takes `value`; what is there stays. */
static void set_default(json_t *row, const char *member, json_t *value)
{
    if (json_object_get(row, member) == NULL)
        wf_json_set(row, member, value);
    else
        json_decref(value);
}

static void set_id(json_t *row, const char *letter, size_t number)
{
    char *id = wf_printf("%s%zu", letter, number);

    set_default(row, "id", wf_text(id));
    free(id);
}

struct list {
    const char *name, *in, *table; /* the member, the kind of its items, where they go */
};

static void seed_list(struct wf_dry *dry, const json_t *given, const struct list *list,
                      const json_t *defaults)
{
    const json_t *item, *owner = json_object_get(defaults, "userId");
    char now[WF_ISO_SIZE];
    size_t i;

    dry_now(dry, now);
    json_array_foreach(json_object_get(given, list->name), i, item)
    {
        json_t *row = dry_state_row(list->in, item), *value;
        const char *key;

        json_object_foreach((json_t *)(uintptr_t)defaults, key, value)
        {
            set_default(row, key, json_incref(value));
        }
        wf_json_set(row, "userId", json_incref((json_t *)(uintptr_t)owner));
        set_default(row, "createdAt", wf_text(now));
        set_id(row, list->in, json_array_size(dry_table(dry, list->table)) + 1);
        dry_insert(dry, list->table, row);
    }
}

/* The rest of the stated balance that no bonus accounts for. */
static void seed_balance(struct wf_dry *dry, const json_t *given, const char *id)
{
    const json_t *balance = json_object_get(given, "balance");
    struct dry_sums sums;
    json_t *bonus;

    dry_sum(dry, id, &sums);
    if (!json_is_number(balance) || dry_cents(balance) <= sums.balance)
        return;
    bonus = wf_must(json_object());
    set_id(bonus, "bonus", json_array_size(dry_table(dry, DRY_BONUSES)) + 1);
    wf_json_set_text(bonus, "userId", id);
    wf_json_set(bonus, "amount", dry_money(dry_cents(balance) - sums.balance));
    wf_json_set_text(bonus, "type", "MANUAL");
    wf_json_set(bonus, "isUsed", json_false());
    wf_json_set(bonus, "createdAt",
                json_incref(json_object_get(dry_customer(dry, id), "registeredAt")));
    dry_insert(dry, DRY_BONUSES, bonus);
}

/* A role in capitals, as templates see it. */
static json_t *role_of(const json_t *given)
{
    char *role = wf_strdup(wf_member(given, "partnerRole", "CLIENT"));
    json_t *text;

    for (char *at = role; *at != '\0'; at++)
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    text = wf_text(role);
    free(role);
    return text;
}

static void seed_money(struct wf_dry *dry, const json_t *given, const char *id)
{
    static const struct list lists[] = {
        { "bonuses", "bonus", DRY_BONUSES },
        { "transactions", "transaction", DRY_TRANSACTIONS },
        { "orders", "order", DRY_ORDERS },
    };
    json_t *defaults[] = {
        json_pack("{s:s, s:s, s:b}", "userId", id, "type", "MANUAL", "isUsed", 0),
        json_pack("{s:s, s:s, s:b}", "userId", id, "type", "EARN", "isReferralBonus", 0),
        json_pack("{s:s, s:s}", "userId", id, "status", "PENDING"),
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        seed_list(dry, given, &lists[i], wf_must(defaults[i]));
        json_decref(defaults[i]);
    }
}

static void seed_customer(struct wf_dry *dry, const json_t *given)
{
    json_t *row = dry_state_row("customer", given);
    char now[WF_ISO_SIZE];
    const char *id;

    dry_now(dry, now);
    wf_json_set(row, "balance", NULL);
    set_id(row, "u", json_array_size(dry_table(dry, DRY_CUSTOMERS)) + 1);
    wf_json_set(row, "projectId", json_incref(json_object_get(dry->project, "id")));
    set_default(row, "isActive",
                json_boolean(wf_member(row, "telegramId", NULL) != NULL ||
                             wf_member(row, "maxId", NULL) != NULL));
    set_default(row, "registeredAt", wf_text(now));
    set_default(row, "updatedAt", wf_text(now));
    set_default(row, "currentLevel", wf_text("Базовый"));
    set_default(row, "totalPurchases", json_integer(0));
    set_default(row, "metadata", wf_must(json_object()));
    wf_json_set(row, "partnerRole", role_of(row));
    id = wf_member(row, "id", "");
    dry_insert(dry, DRY_CUSTOMERS, row);
    seed_money(dry, given, id);
    seed_balance(dry, given, id);
}

static void seed_organization(struct wf_dry *dry, const json_t *given)
{
    static const struct {
        const char *list, *table, *in, *letter;
    } parts[] = { { "members", DRY_MEMBERSHIPS, "membership", "m" },
                  { "links", DRY_LINKS, "link", "l" } };
    json_t *row = dry_state_row("organization", given), *item;
    size_t j;

    set_id(row, "o", json_array_size(dry_table(dry, DRY_ORGANIZATIONS)) + 1);
    set_default(row, "isActive", json_true());
    set_default(row, "name", json_incref(json_object_get(row, "id")));
    set_default(row, "slug", json_incref(json_object_get(row, "id")));
    dry_insert(dry, DRY_ORGANIZATIONS, row);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        json_array_foreach(json_object_get(given, parts[i].list), j, item)
        {
            json_t *part = dry_state_row(parts[i].in, item);

            set_id(part, parts[i].letter,
                   json_array_size(dry_table(dry, parts[i].table)) + 1);
            wf_json_set(part, "organizationId", json_incref(json_object_get(row, "id")));
            dry_insert(dry, parts[i].table, part);
        }
    }
}

/* --- the project, with the defaults of its columns */

static void seed_program(json_t *project)
{
    json_t *program = json_object_get(project, "referralProgram");

    if (json_is_object(program)) {
        set_default(program, "id", wf_text("program"));
        set_default(program, "isActive", json_true());
        set_default(program, "bonusPercent", json_integer(5));
        set_default(program, "referrerBonus", json_integer(0));
        set_default(program, "welcomeBonus", json_integer(0));
        set_default(program, "welcomeRewardType", wf_text("BONUS"));
        return;
    }
    program = wf_must(json_object()); /* what templates see when there is no row */
    wf_json_set(program, "welcomeBonus",
                json_incref(json_object_get(project, "welcomeBonus")));
    wf_json_set(program, "isActive", json_false());
    wf_json_set(program, "bonusPercent", json_integer(0));
    wf_json_set(program, "referrerBonus", json_integer(0));
    wf_json_set(project, "referralProgram", program);
}

static void seed_project(struct wf_dry *dry)
{
    const json_t *given = json_object_get(dry->state, "project");
    json_t *project =
        json_is_object(given) ? wf_must(json_deep_copy(given)) : wf_must(json_object());

    set_default(project, "id", wf_text(DRY_PROJECT));
    set_default(project, "name", wf_text("Project"));
    set_default(project, "domain", json_null());
    set_default(project, "bonusPercentage", json_integer(1));
    set_default(project, "bonusExpiryDays", json_integer(365));
    set_default(project, "bonusBehavior", wf_text("SPEND_AND_EARN"));
    set_default(project, "bonusMode", wf_text("SIMPLE"));
    set_default(project, "operationMode", wf_text("WITH_BOT"));
    set_default(project, "welcomeBonus", json_integer(0));
    set_default(project, "welcomeBonusAmount",
                json_incref(json_object_get(project, "welcomeBonus")));
    set_default(project, "welcomeRewardType", wf_text("BONUS"));
    set_default(project, "firstPurchaseDiscountPercent", json_integer(0));
    set_default(project, "maxPaymentPercentage", json_integer(100));
    set_default(project, "isActive", json_true());
    set_default(project, "workflowMaxSteps", json_integer(100));
    set_default(project, "workflowTimeoutMs", json_integer(30000));
    set_default(project, "enablePartnerRoles", json_false());
    set_default(project, "enablePartnerTeamManagement", json_true());
    set_default(project, "referralJoinRequiresApproval", json_false());
    set_default(project, "referralPlansEnabled", json_false());
    seed_program(project);
    dry->project = project;
}

static void seed_variables(struct wf_dry *dry)
{
    static const char *const scopes[] = { "session", "user", "project", "global" };
    const json_t *given = json_object_get(dry->state, "variables");

    dry->variables =
        json_is_object(given) ? wf_must(json_deep_copy(given)) : wf_must(json_object());
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (!json_is_object(json_object_get(dry->variables, scopes[i])))
            wf_json_set(dry->variables, scopes[i], wf_must(json_object()));
    }
}

void dry_state_seed(struct wf_dry *dry)
{
    const json_t *now = json_object_get(dry->state, "now"), *item;
    size_t i;

    dry->now_ms = json_is_number(now) ? (int64_t)json_number_value(now)
                                      : (int64_t)time(NULL) * 1000;
    dry->store = wf_must(json_object());
    seed_project(dry);
    seed_variables(dry);
    if (json_is_object(json_object_get(dry->state, "customer")))
        seed_customer(dry, json_object_get(dry->state, "customer"));
    json_array_foreach(json_object_get(dry->state, "customers"), i, item)
    {
        seed_customer(dry, item);
    }
    json_array_foreach(json_object_get(dry->state, "organizations"), i, item)
    {
        seed_organization(dry, item);
    }
}
