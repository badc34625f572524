/* Teams of partners: store_partner.h, store_partner.c. */
#include "workflow/authoring/dry/dry_team.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry/dry_members.h"
#include "workflow/base/mem.h"

/* --- its people, as lists show them */

/* Borrowed from `memberships`: the best of the organisation, or of all. */
static const json_t *membership_in(const json_t *memberships, const char *organization)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)memberships, i, item)
    {
        if (organization == NULL || dry_is(item, "organization", organization))
            return item;
    }
    return NULL;
}

static json_t *person_of(const struct wf_dry *dry, const char *viewer, const char *id,
                         const char *organization)
{
    const json_t *row = dry_customer(dry, id);
    json_t *person = wf_must(json_object()), *memberships = dry_memberships(dry, id);
    const json_t *member = membership_in(memberships, organization);
    bool client = organization == NULL ? dry_is(row, "partnerRole", "CLIENT")
                                       : !json_is_true(json_object_get(member, "refers"));
    char *name = dry_name(row, true, "");
    json_int_t count;

    wf_json_set_text(person, "id", id);
    wf_json_set_text(person, "name", name);
    wf_json_set(person, "title",
                member != NULL ? json_incref(json_object_get(member, "title"))
                               : json_null());
    wf_json_set(person, "level",
                member != NULL ? json_incref(json_object_get(member, "level"))
                               : json_null());
    wf_json_set(person, "client", json_boolean(client));
    wf_json_set(person, "purchases", json_incref(json_object_get(row, "totalPurchases")));
    wf_json_set(person, "commission", dry_money(dry_commission(dry, viewer, id, &count)));
    free(name);
    json_decref(memberships);
    return person;
}

/* By purchases, then as they were found. */
static void add_person(json_t *people, json_t *person)
{
    int64_t purchases = dry_cents(json_object_get(person, "purchases"));
    size_t place = 0;

    while (place < json_array_size(people) &&
           dry_cents(json_object_get(json_array_get(people, place), "purchases")) >=
               purchases)
        place++;
    wf_check(json_array_insert_new(people, place, person) == 0 ? BW_OK : BW_ENOMEM);
}

static bool is_chosen(const json_t *person, bool direct, const char *filter)
{
    bool client = json_is_true(json_object_get(person, "client"));

    if (strcmp(filter, "direct") == 0)
        return direct;
    if (strcmp(filter, "clients") == 0)
        return client;
    return strcmp(filter, "partners") != 0 || !client;
}

/* New reference. */
static json_t *people_of(const struct wf_dry *dry, const char *viewer,
                         const char *organization, const char *filter)
{
    json_t *team = dry_team(dry, viewer, organization);
    json_t *people = wf_must(json_array()), *direct;
    const char *id;

    json_object_foreach(team, id, direct)
    {
        json_t *person;

        if (dry_customer(dry, id) == NULL)
            continue;
        person = person_of(dry, viewer, id, organization);
        if (is_chosen(person, json_is_true(direct), filter))
            add_person(people, person);
        else
            json_decref(person);
    }
    json_decref(team);
    return people;
}

static json_t *sum_of(const json_t *people, const char *member)
{
    const json_t *person;
    int64_t sum = 0;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)people, i, person)
    {
        sum += dry_cents(json_object_get(person, member));
    }
    return dry_money(sum);
}

/* --- the statements */

static size_t number_of(const char *text)
{
    long number = text != NULL ? strtol(text, NULL, 10) : 0;

    return number > 0 ? (size_t)number : 0;
}

json_t *dry_sql_partner_team(struct wf_dry *dry, const json_t *params)
{
    const char *viewer = dry_param(params, 2), *organization = dry_param(params, 3);
    const char *filter = dry_param(params, 4);
    json_t *led = dry_memberships(dry, viewer), *people;
    json_t *result = wf_must(json_object()), *shown = wf_must(json_array());
    size_t size = number_of(dry_param(params, 5)), page = number_of(dry_param(params, 6));
    size_t total, last;

    if (filter == NULL)
        filter = dry_managed(led, organization) != NULL ? "all" : "direct";
    json_decref(led);
    people = people_of(dry, viewer, organization, filter);
    total = json_array_size(people);
    size = size > 0 ? size : 1;
    last = total > 0 ? (total - 1) / size : 0;
    page = page < last ? page : last;
    for (size_t i = page * size; i < total && i < (page + 1) * size; i++)
        dry_append(shown, json_incref(json_array_get(people, i)));
    wf_json_set_text(result, "filter", filter);
    wf_json_set(result, "total", json_integer((json_int_t)total));
    wf_json_set(result, "page", json_integer((json_int_t)page));
    wf_json_set(result, "purchases", sum_of(people, "purchases"));
    wf_json_set(result, "commission", sum_of(people, "commission"));
    wf_json_set(result, "people", shown);
    json_decref(people);
    return dry_one_json(result);
}

/* New reference: [{level, count}], the lowest first. */
static json_t *levels_of(const json_t *people)
{
    json_t *levels = wf_must(json_array()), *person, *level;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)people, i, person)
    {
        const json_t *own = json_object_get(person, "level");
        size_t place = 0;

        if (!json_is_integer(own))
            continue;
        while ((level = json_array_get(levels, place)) != NULL &&
               json_integer_value(json_object_get(level, "level")) <
                   json_integer_value(own))
            place++;
        if (level == NULL || !json_equal(json_object_get(level, "level"), own)) {
            level = wf_must(json_object());
            wf_json_set(level, "level", json_integer(json_integer_value(own)));
            wf_json_set(level, "count", json_integer(0));
            wf_check(json_array_insert_new(levels, place, level) == 0 ? BW_OK
                                                                      : BW_ENOMEM);
        }
        wf_json_set(
            level, "count",
            json_integer(json_integer_value(json_object_get(level, "count")) + 1));
    }
    return levels;
}

json_t *dry_sql_partner_organization(struct wf_dry *dry, const json_t *params)
{
    const char *viewer = dry_param(params, 2);
    json_t *led = dry_memberships(dry, viewer), *people, *person, *result;
    const json_t *organization = dry_managed(led, dry_param(params, 3));
    json_t *leaders = wf_must(json_array());
    size_t most = number_of(dry_param(params, 4)), i;
    json_int_t clients = 0;

    if (organization == NULL) {
        json_decref(led);
        json_decref(leaders);
        return dry_no_rows();
    }
    people = people_of(dry, viewer, wf_member(organization, "organization", ""), "all");
    json_array_foreach(people, i, person)
    {
        clients += json_is_true(json_object_get(person, "client"));
        if (json_is_integer(json_object_get(person, "level")) &&
            json_array_size(leaders) < most)
            dry_append(leaders, json_incref(person));
    }
    result = wf_must(json_object());
    wf_json_set(result, "name", json_incref(json_object_get(organization, "name")));
    wf_json_set(result, "total", json_integer((json_int_t)json_array_size(people)));
    wf_json_set(result, "clients", json_integer(clients));
    wf_json_set(result, "purchases", sum_of(people, "purchases"));
    wf_json_set(result, "levels", levels_of(people));
    wf_json_set(result, "leaders", leaders);
    json_decref(people);
    json_decref(led);
    return dry_one_json(result);
}
