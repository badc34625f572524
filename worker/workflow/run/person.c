/* The customer of a run: found once, kept for the run, read from the cache or by one
 * statement, and read again after the run has changed him.
 * worker/workflow/spec/workflow.md §6.4, §6.5, §10.2, §10.3. */
#include "workflow/run/person.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/customer.h"
#include "workflow/base/mem.h"
#include "workflow/run/ahead.h"
#include "workflow/run/io.h"
#include "workflow/run/values.h"
#include "workflow/base/iso.h"
#include "workflow/language/graph/reads.h"

#define CODE_TRIES 3 /* at digits that somebody else gets at the same time */

char *wf_person_key(const struct wf_run *run, const char *pattern, const char *user_id)
{
    const char *const fills[] = { "userId", user_id, "projectId", run->project_id, NULL };

    return wf_settings_key(pattern, fills);
}

static void forget(struct wf_run *run)
{
    json_decref(run->person.variables);
    json_decref(run->person.object);
    run->person.variables = run->person.object = NULL;
    run->person.known = false;
    (void)json_object_del(run->roots, "userId");
    (void)json_object_del(run->roots, "context");
}

/* What `{user.…}` says of somebody who is no customer. */
static json_t *nobody(const struct wf_run *run)
{
    json_t *flat = wf_must(json_object());
    const char *first = run->event.first_name;

    wf_json_set_text(flat, "user.firstName",
                     first != NULL && *first != '\0' ? first : "Пользователь");
    wf_json_set_text(flat, "user.telegramUsername",
                     run->event.username != NULL ? run->event.username : "");
    wf_json_set_text(flat, "user.balanceFormatted", "0 бонусов");
    wf_json_set_text(flat, "user.currentLevel", "Базовый");
    wf_json_set_text(flat, "user.referralCode", "Недоступно");
    wf_json_set_text(flat, "user.referralLink", "Недоступно");
    return flat;
}

static void set_nobody(struct wf_run *run)
{
    forget(run);
    run->person.variables = nobody(run);
    run->person.known = true;
}

void wf_person_set(struct wf_run *run, const char *user_id)
{
    bool same =
        user_id != NULL && run->user_id != NULL && strcmp(user_id, run->user_id) == 0;

    if (same)
        return;
    forget(run);
    wf_set(&run->user_id, user_id);
}

size_t wf_person_add(struct wf_run *run, const char *execution)
{
    return wf_db_add(run, WF_SQL_customer, run->project_id, NULL,
                     wf_db_bigint(run->event.from_id), execution,
                     run->engine->settings.timezone);
}

/* --- whose customer a Telegram account is: remembered in this process */

static char *local_key(const struct wf_run *run)
{
    return wf_printf("%s %s", run->project_id, run->event.from_id);
}

void wf_person_remember(struct wf_run *run, const char *user_id)
{
    char *key;

    if (run->event.from_id == NULL)
        return;
    key = local_key(run);
    wf_memory_set(run->engine->local, key, user_id,
                  run->engine->settings.ttl_user_variables * 1000);
    free(key);
}

char *wf_person_recall(const struct wf_run *run)
{
    char *key, *user_id;

    if (run->event.from_id == NULL)
        return NULL;
    key = local_key(run);
    user_id = wf_memory_get(run->engine->local, key);
    free(key);
    return user_id;
}

/* Stores what was computed, on the side. */
static void store(struct wf_run *run)
{
    struct wf_kv kv = { 0 };
    json_t *value = wf_must(json_object());
    char now[WF_ISO_SIZE];

    BW_ASSERT(run->user_id != NULL && run->person.variables != NULL);
    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set(value, "variables", json_incref(run->person.variables));
    wf_json_set_text(value, "userId", run->user_id);
    wf_json_set_text(value, "projectId", run->project_id);
    wf_json_set_text(value, "cachedAt", now);
    (void)wf_kv_add(
        &kv, WF_KV_SET,
        wf_person_key(run, run->engine->settings.key_user_variables, run->user_id),
        wf_dumps(value), run->engine->settings.ttl_user_variables * 1000);
    json_decref(value);
    wf_kv_send(&run->engine->keys, &kv);
}

void wf_person_take(struct wf_run *run, size_t index)
{
    json_t *row = wf_loads(wf_db_value(run, index, 0, WF_COL_customer_object));

    BW_ASSERT(run->project != NULL);
    if (row == NULL) {
        wf_set(&run->user_id, NULL);
        set_nobody(run);
        return;
    }
    if (run->user_id == NULL) /* else the cache was asked by the id, and that counted */
        wf_count_cache(&run->engine->counters, WF_CACHE_VARIABLES, false);
    forget(run);
    run->person.changed = false;
    wf_set(&run->user_id, wf_member(row, "id", ""));
    run->person.variables =
        wf_customer_variables(row, run->project->levels, &run->engine->settings);
    run->person.known = true;
    store(run);
    json_decref(row);
}

void wf_person_take_cached(struct wf_run *run, const char *json)
{
    json_t *value = wf_loads(json);
    json_t *variables = json_object_get(value, "variables");

    wf_count_cache(&run->engine->counters, WF_CACHE_VARIABLES, json_is_object(variables));
    if (json_is_object(variables)) {
        run->person.variables = json_incref(variables);
        run->person.known = true;
    }
    json_decref(value);
}

static void loaded(struct wf_run *run)
{
    wf_person_take(run, 0);
    run->person.loaded(run);
}

size_t wf_person_add_own(struct wf_run *run)
{
    BW_ASSERT(run->user_id != NULL);
    return wf_db_add(run, WF_SQL_customer, run->project_id, run->user_id, NULL, NULL,
                     run->engine->settings.timezone);
}

static void read_row(struct wf_run *run)
{
    wf_db_begin(run);
    (void)wf_person_add_own(run);
    wf_db_run(run, loaded, NULL);
}

static void read_keys(struct wf_run *run)
{
    wf_person_take_cached(run, wf_kv_at(&run->kv, 0)->text);
    if (run->person.known)
        run->person.loaded(run);
    else
        read_row(run);
}

/* §6.4: where else a run may know its customer from. */
static void find_in_variables(struct wf_run *run)
{
    const json_t *user = wf_run_get(run, WF_SESSION, "telegramUser");
    const json_t *contact = wf_run_get(run, WF_SESSION, "contactUser");
    const json_t *received = wf_run_get(run, WF_SESSION, "contactReceived");
    const char *owner = wf_member(contact, "telegramId", "");
    const char *id = wf_member(user, "id", NULL);

    if (id == NULL && json_is_true(json_object_get(received, "verified")) &&
        (*owner == '\0' ||
         (run->event.from_id != NULL && strcmp(owner, run->event.from_id) == 0)))
        id = wf_member(contact, "id", NULL);
    if (id != NULL)
        wf_person_set(run, id);
}

void wf_person_load(struct wf_run *run, wf_step *then)
{
    BW_ASSERT(run->user_id != NULL);
    run->person.loaded = then;
    if (run->person.changed) { /* the cache was just emptied */
        read_row(run);
        return;
    }
    (void)wf_kv_add(
        wf_run_keys(run), WF_KV_GET,
        wf_person_key(run, run->engine->settings.key_user_variables, run->user_id), NULL,
        0);
    wf_run_kv(run, read_keys);
}

bool wf_person_wanted(const struct wf_run *run)
{
    BW_ASSERT(run->graph != NULL && run->project != NULL);
    return run->graph->reads_customer || run->project->reads_customer;
}

/* --- the referral code: made when something first asks for it (§6.5) */

static bool holds_text(const json_t *value, const char *text)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(value))
        return strstr(json_string_value(value), text) != NULL;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (holds_text(member, text))
            return true;
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, member)
    {
        if (holds_text(member, text))
            return true;
    }
    return false;
}

static bool node_holds(const struct wf_node *node, const char *text)
{
    return holds_text(node->config, text) || holds_text(node->data, text);
}

static bool names_code(const struct wf_run *run, const struct wf_node *node)
{
    const char *key;
    json_t *value;

    if (node->names_code)
        return true;
    if (!run->project->reads_customer)
        return false;
    json_object_foreach(run->project->variables, key, value)
    {
        if (wf_reads_code(value) && node_holds(node, key))
            return true;
    }
    return false;
}

/* What the node writes itself, without a template of its author's. */
static bool shows_code(const struct wf_node *node)
{
    const char *command = wf_member(node->config, "command", "");

    return strcmp(node->type, "action.menu_command") == 0 &&
           (strcmp(command, "menu_referrals") == 0 ||
            strcmp(command, "menu_invite") == 0);
}

/* Cheap for who has one. */
static bool wants_code(const struct wf_run *run, const struct wf_node *node)
{
    if (run->user_id == NULL || run->person.code_asked ||
        strcmp(wf_member(run->person.variables, "user.hasReferralCode", ""), "Нет") !=
            0 ||
        json_is_false(json_object_get(run->person.variables, "user.canRefer")))
        return false;
    return shows_code(node) || names_code(run, node);
}

static void make_code(struct wf_run *run);

static void code_made(struct wf_run *run)
{
    bool there = wf_db_value(run, 0, 0, WF_COL_referral_code) != NULL;

    if (there) { /* caches of others, too, say that there is none */
        wf_person_changed(run, run->user_id);
        wf_person_take(run, 1);
    }
    run->person.then(run);
}

/* Without a code all goes on: what is shown says that there is none. */
static void code_refused(struct wf_run *run)
{
    if (strcmp(wf_db_sqlstate(run), "23505") == 0 &&
        ++run->person.code_tries < CODE_TRIES)
        make_code(run);
    else
        run->person.then(run);
}

static void make_code(struct wf_run *run)
{
    BW_ASSERT(run->user_id != NULL);
    run->person.code_asked = true;
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_referral, run->user_id, run->project_id);
    (void)wf_person_add_own(run);
    wf_db_run(run, code_made, code_refused);
}

static void loaded_for_node(struct wf_run *run)
{
    if (wants_code(run, run->node))
        make_code(run);
    else
        run->person.then(run);
}

/* Any placeholder may, by way of a variable of the project. */
static bool mentions_customer(const struct wf_run *run, const struct wf_node *node)
{
    return node->names_customer ||
           (run->project->reads_customer && node->has_placeholder);
}

bool wf_person_ready(struct wf_run *run, const struct wf_node *node, wf_step *then)
{
    run->person.then = then;
    if (run->user_id == NULL)
        find_in_variables(run);
    if (run->person.known) {
        if (!wants_code(run, node))
            return true;
        make_code(run);
        return false;
    }
    if (run->user_id == NULL) {
        set_nobody(run);
        return true;
    }
    if (!shows_code(node) && (!wf_person_wanted(run) || !mentions_customer(run, node)))
        return true;
    wf_person_load(run, loaded_for_node);
    return false;
}

void wf_person_drop_keys(struct wf_run *run, const char *user_id)
{
    const struct wf_settings *settings = &run->engine->settings;
    const char *const patterns[] = { settings->key_user_variables,
                                     settings->key_user_profile,
                                     settings->key_node_user_variables,
                                     settings->key_node_user_profile };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        (void)wf_kv_add(&run->kv, WF_KV_DELETE, wf_person_key(run, patterns[i], user_id),
                        NULL, 0);
}

void wf_person_changed(struct wf_run *run, const char *user_id)
{
    BW_ASSERT(user_id != NULL);
    wf_ahead_drop(run);
    (void)wf_run_keys(run);
    wf_person_drop_keys(run, user_id);
    wf_kv_send(&run->engine->keys, &run->kv);
    if (run->user_id != NULL && strcmp(run->user_id, user_id) == 0) {
        forget(run);
        run->person.changed = true;
    }
}

bool wf_person_stale(const struct wf_run *run)
{
    return run->person.changed && run->user_id != NULL && run->graph != NULL &&
           run->project != NULL && wf_person_wanted(run);
}
