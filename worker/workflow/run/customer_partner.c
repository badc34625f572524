#include "workflow/run/customer_partner.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/base/money.h"

static json_int_t count_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void put_count(json_t *flat, const char *name, json_int_t count)
{
    wf_json_set(flat, name, wf_must(json_integer(count)));
}

static void put_flag(json_t *flat, const char *name, bool set)
{
    wf_json_set(flat, name, json_boolean(set));
}

/* `sum` may be NULL: nothing. */
static void put_sum(json_t *flat, const char *name, const json_t *sum)
{
    char *formatted = wf_printf("%sFormatted", name);
    char *rub = wf_money_rub(json_number_value(sum));

    wf_json_set(flat, name,
                json_is_number(sum) ? json_incref((json_t *)(uintptr_t)sum)
                                    : wf_must(json_integer(0)));
    wf_json_set_text(flat, formatted, rub);
    free(formatted);
    free(rub);
}

/* What the first of the memberships makes of him. */
static void put_position(json_t *flat, const json_t *partner)
{
    const json_t *level = json_object_get(partner, "level");
    const char *title = wf_member(partner, "title", "");
    const char *name =
        count_of(partner, "organizations") > 0 ? "Участник организации" : "Клиент";

    if (*title == '\0' && json_is_integer(level)) {
        char *text = wf_printf("Уровень %lld", (long long)json_integer_value(level));

        wf_json_set_text(flat, "user.organizationPosition", text);
        free(text);
        return;
    }
    wf_json_set_text(flat, "user.organizationPosition", *title != '\0' ? title : name);
}

static void put_kind(json_t *flat, const json_t *row, const json_t *partner)
{
    bool manages = json_is_true(json_object_get(partner, "manages"));
    bool client = strcmp(wf_member(row, "partner_role", "CLIENT"), "CLIENT") == 0;
    bool member = count_of(partner, "organizations") > 0;
    bool takes_part = member || !client;
    const char *role = takes_part ? "TRAINER" : "CLIENT";
    const char *kind = takes_part ? "MEMBER" : "CLIENT";

    wf_json_set_text(flat, "user.partnerRole", manages ? "DIRECTOR" : role);
    wf_json_set_text(flat, "user.partnerMenuKind", manages ? "MANAGER" : kind);
    put_flag(flat, "user.isOrganizationMember", member);
    put_flag(flat, "user.canManageOrganization", manages);
    put_flag(flat, "user.canRefer", manages || takes_part);
}

static void put_team(json_t *flat, const json_t *team)
{
    json_int_t all = count_of(team, "all"), direct = count_of(team, "direct");

    put_count(flat, "user.directReferralsCount", direct);
    put_count(flat, "user.indirectReferralsCount", all > direct ? all - direct : 0);
    put_count(flat, "user.teamSize", all);
}

static void put_nothing(json_t *flat)
{
    wf_json_set_text(flat, "user.partnerRole", "");
    wf_json_set_text(flat, "user.partnerMenuKind", "CLIENT");
    put_flag(flat, "user.isOrganizationMember", false);
    put_flag(flat, "user.canManageOrganization", false);
    put_count(flat, "user.organizationCount", 0);
    wf_json_set_text(flat, "user.organizationPosition", "Клиент");
    put_flag(flat, "user.canRefer", true);
    put_team(flat, NULL);
    put_sum(flat, "user.totalCommissionEarned", NULL);
    put_sum(flat, "user.commissionThisMonth", NULL);
}

void wf_customer_partner(json_t *flat, const json_t *row)
{
    const json_t *partner = json_object_get(row, "partner");

    if (!json_is_true(json_object_get(row, "enable_partner_roles"))) {
        put_nothing(flat);
        return;
    }
    put_kind(flat, row, partner);
    put_count(flat, "user.organizationCount", count_of(partner, "organizations"));
    put_position(flat, partner);
    put_team(flat, json_object_get(partner, "team"));
    put_sum(flat, "user.totalCommissionEarned", json_object_get(row, "ref_bonus"));
    put_sum(flat, "user.commissionThisMonth", json_object_get(row, "ref_bonus_month"));
}
