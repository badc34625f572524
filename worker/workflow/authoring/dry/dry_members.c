#include "workflow/authoring/dry/dry_members.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

/* --- memberships */

static json_int_t level_of(const json_t *membership)
{
    const json_t *level = json_object_get(membership, "level");

    return json_is_integer(level) ? json_integer_value(level) : -1;
}

/* can_manage desc, level desc with NULLs first, as they were made. */
static bool is_better(const json_t *a, const json_t *b)
{
    bool manages = json_is_true(json_object_get(a, "manages"));
    json_int_t left = level_of(a), right = level_of(b);

    if (manages != json_is_true(json_object_get(b, "manages")))
        return manages;
    return left != right && (left < 0 || (right >= 0 && left > right));
}

static json_t *membership_of(const json_t *row, const json_t *organization)
{
    json_t *member = wf_must(json_object());
    const char *title = wf_member(row, "title", "");
    bool manages = json_is_true(json_object_get(row, "canManage"));

    wf_json_set(member, "organization", json_incref(json_object_get(organization, "id")));
    wf_json_set(member, "name", json_incref(json_object_get(organization, "name")));
    wf_json_set(member, "slug", json_incref(json_object_get(organization, "slug")));
    wf_json_set(member, "title", *title != '\0' ? wf_text(title) : json_null());
    wf_json_set(member, "level",
                level_of(row) >= 0 ? json_integer(level_of(row)) : json_null());
    wf_json_set(member, "manages", json_boolean(manages));
    wf_json_set(member, "refers", json_boolean(manages || level_of(row) >= 0));
    return member;
}

json_t *dry_memberships(const struct wf_dry *dry, const char *user_id)
{
    json_t *list = wf_must(json_array()), *row;
    size_t i;

    json_array_foreach(dry_table(dry, DRY_MEMBERSHIPS), i, row)
    {
        const json_t *organization = dry_find(dry, DRY_ORGANIZATIONS, "id",
                                              wf_member(row, "organizationId", NULL));
        json_t *member;
        size_t place = 0;

        if (!dry_is(row, "userId", user_id) ||
            !json_is_true(json_object_get(organization, "isActive")))
            continue;
        member = membership_of(row, organization);
        while (place < json_array_size(list) &&
               !is_better(member, json_array_get(list, place)))
            place++;
        wf_check(json_array_insert_new(list, place, member) == 0 ? BW_OK : BW_ENOMEM);
    }
    return list;
}

const json_t *dry_managed(const json_t *memberships, const char *organization)
{
    const json_t *member;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)memberships, i, member)
    {
        if (json_is_true(json_object_get(member, "manages")) &&
            (organization == NULL || dry_is(member, "organization", organization)))
            return member;
    }
    return NULL;
}

/* --- teams */

struct walk {
    const struct wf_dry *dry;
    const char *viewer, *organization;
    json_t *found; /* id → directly */
};

static void add_below(const struct walk *walk, const char *parent, bool direct);

static void add_child(const struct walk *walk, const char *child, bool direct)
{
    bool there = json_object_get(walk->found, child) != NULL;

    if (dry_same(child, walk->viewer) || (there && !direct))
        return;
    wf_json_set(walk->found, child, json_boolean(direct));
    if (!there)
        add_below(walk, child, false);
}

/* Links count before the older `referredBy`. */
static void add_below(const struct walk *walk, const char *parent, bool direct)
{
    const json_t *row;
    size_t i;

    json_array_foreach(dry_table(walk->dry, DRY_LINKS), i, row)
    {
        if (dry_is(row, "referrerId", parent) &&
            (walk->organization == NULL ||
             dry_is(row, "organizationId", walk->organization)))
            add_child(walk, wf_member(row, "childId", ""), direct);
    }
    if (walk->organization != NULL)
        return;
    json_array_foreach(dry_table(walk->dry, DRY_CUSTOMERS), i, row)
    {
        const char *id = wf_member(row, "id", "");

        if (dry_is(row, "referredBy", parent) &&
            dry_find(walk->dry, DRY_LINKS, "childId", id) == NULL)
            add_child(walk, id, direct);
    }
}

json_t *dry_team(const struct wf_dry *dry, const char *viewer, const char *organization)
{
    struct walk walk = { dry, viewer, organization, wf_must(json_object()) };
    json_t *led = dry_memberships(dry, viewer), *row;
    size_t i;

    add_below(&walk, viewer, true);
    json_array_foreach(dry_table(dry, DRY_MEMBERSHIPS), i, row)
    {
        const char *id = wf_member(row, "userId", "");
        const char *in = wf_member(row, "organizationId", "");

        if ((organization == NULL || dry_same(in, organization)) &&
            dry_managed(led, in) != NULL && !dry_same(id, viewer) &&
            json_object_get(walk.found, id) == NULL)
            wf_json_set(walk.found, id, json_false());
    }
    json_decref(led);
    return walk.found;
}

/* --- one of them */

char *dry_name(const json_t *row, bool email, const char *other)
{
    const char *first = wf_member(row, "firstName", ""),
               *last = wf_member(row, "lastName", "");
    const char *instead =
        email ? wf_member2(row, "email", "phone") : wf_member2(row, "phone", "phone");

    if (*first != '\0' || *last != '\0')
        return wf_printf("%s%s%s", first, *first != '\0' && *last != '\0' ? " " : "",
                         last);
    if (instead != NULL)
        return wf_strdup(instead);
    return wf_printf("%s%.8s", other, wf_member(row, "id", ""));
}

int64_t dry_commission(const struct wf_dry *dry, const char *viewer, const char *subject,
                       json_int_t *count)
{
    const json_t *row;
    int64_t sum = 0;
    size_t i;

    *count = 0;
    json_array_foreach(dry_table(dry, DRY_TRANSACTIONS), i, row)
    {
        if (!dry_is(row, "userId", viewer) || !dry_is(row, "type", "EARN") ||
            !dry_is(row, "referralUserId", subject) ||
            !json_is_true(json_object_get(row, "isReferralBonus")))
            continue;
        sum += dry_cents(json_object_get(row, "amount"));
        ++*count;
    }
    return sum;
}
