/* The state an author gives: what it may hold. */
#include "workflow/authoring/dry/dry_state.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "workflow/authoring/dry/dry_answer.h"
#include "workflow/authoring/dry/dry_store.h"
#include "workflow/base/mem.h"
#include "workflow/base/iso.h"

/* --- what it may hold */

enum kind {
    ANY,
    TEXT, /* or a number, whose digits count */
    NUMBER,
    FLAG,
    TIME,
    OBJECT, /* with the members of `of` */
    LIST,   /* of such objects */
    MAP     /* of such objects, by any name; `of` NULL: of anything */
};

struct member {
    const char *in, *name;
    enum kind kind;
    const char *of;
};

static const struct member members[] = {
    { "state", "project", OBJECT, "project" },
    { "state", "customer", OBJECT, "customer" },
    { "state", "customers", LIST, "customer" },
    { "state", "organizations", LIST, "organization" },
    { "state", "variables", OBJECT, "variables" },
    { "state", "workflows", MAP, NULL },
    { "state", "answers", MAP, NULL },
    { "state", "telegram", MAP, NULL },
    { "state", "http", MAP, "http" },
    { "state", "now", NUMBER, NULL },

    { "project", "id", TEXT, NULL },
    { "project", "name", TEXT, NULL },
    { "project", "domain", TEXT, NULL },
    { "project", "bonusPercentage", NUMBER, NULL },
    { "project", "bonusExpiryDays", NUMBER, NULL },
    { "project", "bonusBehavior", TEXT, NULL },
    { "project", "bonusMode", TEXT, NULL },
    { "project", "operationMode", TEXT, NULL },
    { "project", "welcomeBonus", NUMBER, NULL },
    { "project", "welcomeBonusAmount", NUMBER, NULL },
    { "project", "welcomeRewardType", TEXT, NULL },
    { "project", "firstPurchaseDiscountPercent", NUMBER, NULL },
    { "project", "maxPaymentPercentage", NUMBER, NULL },
    { "project", "isActive", FLAG, NULL },
    { "project", "workflowMaxSteps", NUMBER, NULL },
    { "project", "workflowTimeoutMs", NUMBER, NULL },
    { "project", "enablePartnerRoles", FLAG, NULL },
    { "project", "enablePartnerTeamManagement", FLAG, NULL },
    { "project", "referralJoinRequiresApproval", FLAG, NULL },
    { "project", "referralPlansEnabled", FLAG, NULL },
    { "project", "referralProgram", OBJECT, "program" },
    { "project", "variables", MAP, NULL },
    { "project", "levels", LIST, "level" },

    { "program", "id", TEXT, NULL },
    { "program", "projectId", TEXT, NULL },
    { "program", "isActive", FLAG, NULL },
    { "program", "bonusPercent", NUMBER, NULL },
    { "program", "referrerBonus", NUMBER, NULL },
    { "program", "minPurchaseAmount", NUMBER, NULL },
    { "program", "cookieLifetime", NUMBER, NULL },
    { "program", "welcomeBonus", NUMBER, NULL },
    { "program", "welcomeRewardType", TEXT, NULL },
    { "program", "firstPurchaseDiscountPercent", NUMBER, NULL },
    { "program", "description", TEXT, NULL },
    { "program", "payoutMinAmount", NUMBER, NULL },
    { "program", "payoutHoldDays", NUMBER, NULL },

    { "level", "name", TEXT, NULL },
    { "level", "min", NUMBER, NULL },
    { "level", "max", NUMBER, NULL },
    { "level", "bonusPercent", NUMBER, NULL },
    { "level", "paymentPercent", NUMBER, NULL },
    { "level", "order", NUMBER, NULL },

    { "customer", "id", TEXT, NULL },
    { "customer", "projectId", TEXT, NULL },
    { "customer", "email", TEXT, NULL },
    { "customer", "phone", TEXT, NULL },
    { "customer", "firstName", TEXT, NULL },
    { "customer", "lastName", TEXT, NULL },
    { "customer", "birthDate", TIME, NULL },
    { "customer", "telegramId", TEXT, NULL },
    { "customer", "telegramUsername", TEXT, NULL },
    { "customer", "maxId", TEXT, NULL },
    { "customer", "maxUsername", TEXT, NULL },
    { "customer", "isActive", FLAG, NULL },
    { "customer", "registeredAt", TIME, NULL },
    { "customer", "updatedAt", TIME, NULL },
    { "customer", "currentLevel", TEXT, NULL },
    { "customer", "referralCode", TEXT, NULL },
    { "customer", "referredBy", TEXT, NULL },
    { "customer", "totalPurchases", NUMBER, NULL },
    { "customer", "utmCampaign", TEXT, NULL },
    { "customer", "utmContent", TEXT, NULL },
    { "customer", "utmMedium", TEXT, NULL },
    { "customer", "utmSource", TEXT, NULL },
    { "customer", "utmTerm", TEXT, NULL },
    { "customer", "partnerRole", TEXT, NULL },
    { "customer", "organizationId", TEXT, NULL },
    { "customer", "partnerParentId", TEXT, NULL },
    { "customer", "metadata", MAP, NULL },
    { "customer", "balance", NUMBER, NULL },
    { "customer", "totalEarned", NUMBER, NULL },
    { "customer", "totalSpent", NUMBER, NULL },
    { "customer", "expiringSoon", NUMBER, NULL },
    { "customer", "referralCount", NUMBER, NULL },
    { "customer", "bonuses", LIST, "bonus" },
    { "customer", "transactions", LIST, "transaction" },
    { "customer", "orders", LIST, "order" },

    { "bonus", "id", TEXT, NULL },
    { "bonus", "amount", NUMBER, NULL },
    { "bonus", "type", TEXT, NULL },
    { "bonus", "description", TEXT, NULL },
    { "bonus", "expiresAt", TIME, NULL },
    { "bonus", "isUsed", FLAG, NULL },
    { "bonus", "createdAt", TIME, NULL },

    { "transaction", "id", TEXT, NULL },
    { "transaction", "bonusId", TEXT, NULL },
    { "transaction", "amount", NUMBER, NULL },
    { "transaction", "type", TEXT, NULL },
    { "transaction", "description", TEXT, NULL },
    { "transaction", "metadata", ANY, NULL },
    { "transaction", "createdAt", TIME, NULL },
    { "transaction", "isReferralBonus", FLAG, NULL },
    { "transaction", "referralUserId", TEXT, NULL },
    { "transaction", "referralLevel", NUMBER, NULL },
    { "transaction", "appliedPercent", NUMBER, NULL },
    { "transaction", "userLevel", TEXT, NULL },
    { "transaction", "externalId", TEXT, NULL },

    { "order", "id", TEXT, NULL },
    { "order", "orderNumber", TEXT, NULL },
    { "order", "status", TEXT, NULL },
    { "order", "totalAmount", NUMBER, NULL },
    { "order", "accountedPurchaseAmount", NUMBER, NULL },
    { "order", "createdAt", TIME, NULL },
    { "order", "items", LIST, "item" },
    { "item", "name", TEXT, NULL },
    { "item", "quantity", NUMBER, NULL },

    { "organization", "id", TEXT, NULL },
    { "organization", "name", TEXT, NULL },
    { "organization", "slug", TEXT, NULL },
    { "organization", "isActive", FLAG, NULL },
    { "organization", "members", LIST, "membership" },
    { "organization", "links", LIST, "link" },
    { "membership", "userId", TEXT, NULL },
    { "membership", "level", NUMBER, NULL },
    { "membership", "title", TEXT, NULL },
    { "membership", "canManage", FLAG, NULL },
    { "link", "childId", TEXT, NULL },
    { "link", "referrerId", TEXT, NULL },

    { "variables", "session", MAP, NULL },
    { "variables", "user", MAP, NULL },
    { "variables", "project", MAP, NULL },
    { "variables", "global", MAP, NULL },
    { "http", "status", NUMBER, NULL },
    { "http", "body", ANY, NULL },
};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static const struct member *find_member(const char *in, const char *name)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].in, in) == 0 && strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

static const char *member_at(const void *in, size_t index)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].in, in) == 0 && index-- == 0)
            return members[i].name;
    }
    return NULL;
}

const char *dry_state_member(const char *in, size_t index)
{
    return member_at(in, index);
}

static const char *answer_at(const void *arg, size_t index)
{
    (void)arg;
    return index < WF_SQL_COUNT ? dry_answer_name((enum wf_sql)index) : NULL;
}

static const char *method_at(const void *arg, size_t index)
{
    static const char *const methods[] = { "sendMessage",
                                           "sendPhoto",
                                           "sendVideo",
                                           "sendDocument",
                                           "editMessageText",
                                           "deleteMessage",
                                           "answerCallbackQuery",
                                           "getChatMember",
                                           "sendChatAction",
                                           "editMessageCaption",
                                           "getMe" };

    (void)arg;
    return index < sizeof(methods) / sizeof(methods[0]) ? methods[index] : NULL;
}

/* --- whether it does */

static int unknown(const char *path, const char *name, const char *near,
                   struct bw_error *err)
{
    if (near != NULL)
        return bw_error_set(err, BW_EINVAL, "%s.%s: unknown member, did you mean \"%s\"?",
                            path, name, near);
    return bw_error_set(err, BW_EINVAL, "%s.%s: unknown member", path, name);
}

static int expected(const char *path, const char *what, struct bw_error *err)
{
    return bw_error_set(err, BW_EINVAL, "%s: %s expected", path, what);
}

static int check_value(const char *path, const struct member *member, const json_t *value,
                       struct bw_error *err);

static int check_object(const char *path, const char *in, const json_t *object,
                        struct bw_error *err)
{
    const char *key;
    json_t *value;
    int rc = BW_OK;

    if (!json_is_object(object))
        return expected(path, "an object", err);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const struct member *member = find_member(in, key);
        char *inner;

        if (rc != BW_OK)
            break;
        if (member == NULL)
            return unknown(path, key, wk_nearest(key, member_at, in), err);
        inner = wf_printf("%s.%s", path, key);
        rc = check_value(inner, member, value, err);
        free(inner);
    }
    return rc;
}

/* Names of a map that are known beforehand. */
static int check_name(const char *path, const char *key, struct bw_error *err)
{
    const char *(*name_at)(const void *, size_t) = NULL;

    if (strcmp(path, "state.answers") == 0)
        name_at = answer_at;
    else if (strcmp(path, "state.telegram") == 0)
        name_at = method_at;
    for (size_t i = 0; name_at != NULL && name_at(NULL, i) != NULL; i++) {
        if (strcmp(name_at(NULL, i), key) == 0)
            return BW_OK;
    }
    return name_at == NULL ? BW_OK
                           : unknown(path, key, wk_nearest(key, name_at, NULL), err);
}

static int check_map(const char *path, const char *in, const json_t *map,
                     struct bw_error *err)
{
    const char *key;
    json_t *value;
    int rc = BW_OK;

    if (!json_is_object(map))
        return expected(path, "an object", err);
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        char *inner;

        if (rc == BW_OK)
            rc = check_name(path, key, err);
        if (rc != BW_OK || in == NULL)
            continue;
        inner = wf_printf("%s.%s", path, key);
        rc = check_object(inner, in, value, err);
        free(inner);
    }
    return rc;
}

static int check_list(const char *path, const char *in, const json_t *list,
                      struct bw_error *err)
{
    json_t *value;
    size_t i;
    int rc = BW_OK;

    if (!json_is_array(list))
        return expected(path, "an array", err);
    json_array_foreach(list, i, value)
    {
        char *inner = wf_printf("%s[%zu]", path, i);

        if (rc == BW_OK)
            rc = check_object(inner, in, value, err);
        free(inner);
    }
    return rc;
}

static int check_value(const char *path, const struct member *member, const json_t *value,
                       struct bw_error *err)
{
    int64_t ms;

    if (json_is_null(value))
        return BW_OK;
    switch (member->kind) {
    case TEXT:
        return json_is_string(value) || json_is_integer(value)
                   ? BW_OK
                   : expected(path, "a text", err);
    case NUMBER:
        return json_is_number(value) ? BW_OK : expected(path, "a number", err);
    case FLAG:
        return json_is_boolean(value) ? BW_OK : expected(path, "true or false", err);
    case TIME:
        return dry_time(json_string_value(value), &ms)
                   ? BW_OK
                   : expected(path, "a time such as 2026-01-31T10:00:00Z", err);
    case OBJECT:
        return check_object(path, member->of, value, err);
    case LIST:
        return check_list(path, member->of, value, err);
    case MAP:
        return check_map(path, member->of, value, err);
    case ANY:
        break;
    }
    return BW_OK;
}

int dry_state_check(const json_t *state, struct bw_error *err)
{
    return state == NULL ? BW_OK : check_object("state", "state", state, err);
}

/* --- rows of it */

json_t *dry_state_row(const char *in, const json_t *given)
{
    json_t *row = wf_must(json_object()), *value;
    char iso[WF_ISO_SIZE];
    const char *key;
    int64_t ms;

    json_object_foreach((json_t *)(uintptr_t)given, key, value)
    {
        const struct member *member = find_member(in, key);

        if (member->kind == TEXT && json_is_integer(value)) {
            char *text = wf_dumps(value);

            wf_json_set_text(row, key, text);
            free(text);
        } else if (member->kind == TIME && dry_time(json_string_value(value), &ms)) {
            wf_iso(ms, iso);
            wf_json_set_text(row, key, iso);
        } else if (member->kind != LIST || strcmp(key, "items") == 0) {
            wf_json_set(row, key, wf_must(json_deep_copy(value)));
        }
    }
    return row;
}
