#include "workflow/authoring/names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "workflow/authoring/dry/dry_state.h"
#include "workflow/authoring/dry/dry_user.h"
#include "workflow/run/customer.h"
#include "workflow/language/event.h"
#include "workflow/base/mem.h"
#include "workflow/language/event_telegram.h"
#include "workflow/language/path.h"

/* Bytes of a name that is easily mistaken for another. */
#define SHORT 4

/* --- words */

json_t *wf_words(const char *list)
{
    json_t *words = wf_must(json_array());

    for (const char *at = list;; at++) {
        size_t len = strcspn(at, "|");

        wf_check(json_array_append_new(words, json_stringn(at, len)) == 0 ? BW_OK
                                                                          : BW_ENOMEM);
        at += len;
        if (*at == '\0')
            return words;
    }
}

static const char *word_at(const void *words, size_t index)
{
    return json_string_value(json_array_get(words, index));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `item1` and `item2`, `item` and `items` are two names, not one misspelt. */
static bool is_variant(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        while (is_digit(*a))
            a++;
        while (is_digit(*b))
            b++;
        if (*a != *b)
            break;
        if (*a != '\0') {
            a++;
            b++;
        }
    }
    return (*a == '\0' && (*b == '\0' || strcmp(b, "s") == 0)) ||
           (*b == '\0' && strcmp(a, "s") == 0);
}

/* Of short names many differ in one letter and mean something else: only letters that are
 * missing, too many, or in each other's place count. */
static bool is_another_word(const char *a, const char *b)
{
    size_t len = strlen(a);

    if (len > SHORT || strlen(b) != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        size_t in_a = 0, in_b = 0;

        for (size_t j = 0; j < len; j++) {
            in_a += tolower((unsigned char)a[j]) == tolower((unsigned char)a[i]);
            in_b += tolower((unsigned char)b[j]) == tolower((unsigned char)a[i]);
        }
        if (in_a != in_b)
            return true;
    }
    return false;
}

/* Borrowed from the object; NULL: it is no member. */
static const char *key_of(const json_t *object, const char *word)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (word != NULL && strcmp(key, word) == 0)
            return key;
    }
    return NULL;
}

static json_t *keys_of(const json_t *object)
{
    json_t *keys = wf_must(json_array()), *value;
    const char *key;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        wf_check(json_array_append_new(keys, wf_text(key)) == 0 ? BW_OK : BW_ENOMEM);
    }
    return keys;
}

/* `phone` may mean `phoneNumber`. */
static const char *longer(const char *word, const json_t *words)
{
    for (size_t i = 0; strlen(word) > 2 && i < json_array_size(words); i++) {
        if (strncasecmp(word_at(words, i), word, strlen(word)) == 0)
            return word_at(words, i);
    }
    return NULL;
}

const char *wf_names_near(const char *word, const json_t *words, bool slip)
{
    size_t len = strlen(word);
    unsigned most = len < 3 ? 0 : len < 7 ? 1 : 2;
    const char *near;

    if (json_is_object(words)) {
        json_t *keys = keys_of(words);

        near = key_of(words, wf_names_near(word, keys, slip));
        json_decref(keys);
        return near != NULL && slip &&
                       (is_variant(word, near) || is_another_word(word, near))
                   ? NULL
                   : near;
    }
    near = slip ? wk_nearest_within(word, most, word_at, words)
                : wk_nearest(word, word_at, words);
    if (near == NULL && !slip)
        return longer(word, words);
    return near;
}

/* --- shapes: new references */

#define OPEN "*"

static json_t *any(void)
{
    return json_true();
}

static json_t *shape(const char *list)
{
    json_t *words = wf_words(list), *object = wf_must(json_object()), *word;
    size_t i;

    json_array_foreach(words, i, word)
    {
        wf_json_set(object, json_string_value(word), any());
    }
    json_decref(words);
    return object;
}

static json_t *with(json_t *object, const char *name, json_t *inner)
{
    wf_json_set(object, name, inner);
    return object;
}

static json_t *user_shape(void)
{
    json_t *row = wf_must(json_object()), *user;

    wf_json_set_text(row, "telegramId", "1");
    wf_json_set_text(row, "maxId", "1");
    user = dry_user_json(row);
    json_decref(row);
    wf_json_set(user, "balance", any());
    wf_json_set(user, "name", any());
    return user;
}

static json_t *profile_shape(void)
{
    json_t *row = wf_must(json_object()), *profile = wf_customer_profile(row);

    json_decref(row);
    return profile;
}

/* Everything an event can bring. */
static json_t *telegram_shape(void)
{
    char text[] = "1", *const one = text;
    struct wf_event event = {
        .kind = WF_EVENT_CALLBACK,
        .chat_id = one,
        .from_id = one,
        .username = one,
        .first_name = one,
        .last_name = one,
        .language_code = one,
        .text = one,
        .original_text = one,
        .start_payload = one,
        .callback_data = one,
        .callback_message_id = one,
        .message_id = one,
        .contact =
            json_pack("{s:s, s:s, s:s, s:s, s:s}", "phone_number", one, "first_name", one,
                      "last_name", one, "vcard", one, "user_id", one),
    };
    json_t *telegram = wf_must(wf_event_telegram(&event));

    json_decref(event.contact);
    return telegram;
}

/* The customer's flat names. */
static json_t *customer_names(void)
{
    struct wf_settings settings;
    struct bw_error err;
    json_t *row = wf_must(json_object()), *levels = wf_must(json_array()), *flat;

    wf_check(wf_settings_parse(&settings, NULL, &err));
    flat = wf_customer_variables(row, levels, &settings);
    wf_settings_fini(&settings);
    json_decref(row);
    json_decref(levels);
    return flat;
}

static json_t *project_shape(void)
{
    json_t *project = shape(OPEN), *program = wf_must(json_object());
    const char *name;

    for (size_t i = 0; (name = dry_state_member("program", i)) != NULL; i++)
        wf_json_set(program, name, any());
    for (size_t i = 0; (name = dry_state_member("project", i)) != NULL; i++)
        wf_json_set(project, name, any());
    return with(project, "referralProgram", program);
}

/* What a query's result is made of. */
static json_t *result_shape(const char *query)
{
    static const char *const users[] = {
        "check_user_by_platform", "check_user_by_telegram",
        "check_user_by_contact",  "create_user",
        "activate_user",          "update_user",
        "update_user_contact"
    };
    static const char *const others[][2] = {
        { "add_bonus", "id|userId|amount|type|description|expiresAt|isUsed|createdAt" },
        { "spend_bonus", "spent|remaining" },
        { "get_user_balance", "userId|balance|totalEarned|totalSpent|expiringSoon" },
        { "get_referral_link", "referralCode|referralLink|projectName" },
        { "update_user_birthday", "id|birthDate|success" },
        { "get_user_metadata", "userId|metadata" },
        { "update_user_metadata", "userId|metadata|success" },
    };

    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        if (strcmp(users[i], query) == 0)
            return user_shape();
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i][0], query) == 0)
            return shape(others[i][1]);
    }
    if (strcmp(query, "get_user_profile") == 0)
        return profile_shape();
    if (strcmp(query, "get_user_stats") == 0)
        return with(with(wf_must(json_object()), "user", user_shape()), "stats",
                    shape("totalEarned|totalSpent|currentBalance|transactionCount"));
    return any();
}

/* --- what the nodes set */

/* Takes `what`. A name that is set in several ways may be anything; one that is made of
 * other names is not known beforehand. */
static void set(json_t *variables, const char *name, json_t *what)
{
    const json_t *before = name != NULL ? json_object_get(variables, name) : NULL;

    if (name == NULL || *name == '\0' || strchr(name, '{') != NULL) {
        json_decref(what);
        return;
    }
    if (before != NULL && !json_equal(before, what)) {
        json_decref(what);
        what = any();
    }
    wf_json_set(variables, name, what);
}

/* Takes `what`: the name and what hangs on it with a suffix. */
static void set_suffixed(json_t *variables, const char *name, const char *suffix,
                         json_t *what)
{
    char *full = wf_printf("%s%s", name, suffix);

    set(variables, full, what);
    free(full);
}

static const char *assign_of(const struct wf_node *node, const char *fallback)
{
    const char *name = wf_member2(node->config, "assignTo", "saveToVariable");

    if (name == NULL)
        name = wf_member2(node->config, "resultVariable", "resultVariable");
    return name != NULL ? name : fallback;
}

static void set_values(json_t *variables, const json_t *mapping)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)mapping, key, value)
    {
        set(variables, json_string_value(value), any());
    }
}

static void set_keys(json_t *variables, const json_t *mapping, const char *before)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)mapping, key, value)
    {
        set_suffixed(variables, before, key, any());
    }
}

/* Buttons have actions that set variables. */
static void set_actions(json_t *variables, const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)value, i, member)
    {
        set_actions(variables, member);
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (strcmp(key, "assignTo") == 0 || strcmp(key, "key") == 0)
            set(variables, json_string_value(member), any());
        set_actions(variables, member);
    }
}

static bool is(const struct wf_node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

static void set_by_customers(json_t *variables, const struct wf_node *node)
{
    if (is(node, "action.check_user_linked")) {
        set(variables, assign_of(node, "isUserLinked"), any());
        set_suffixed(variables, assign_of(node, "isUserLinked"), "_user", user_shape());
    } else if (is(node, "action.find_user_by_contact")) {
        set(variables, assign_of(node, "foundUser"), user_shape());
    } else if (is(node, "action.link_telegram_account")) {
        set(variables, "linkedUser", user_shape());
    } else if (is(node, "action.get_user_balance")) {
        set(variables, assign_of(node, "userBalance"), any());
        set_suffixed(variables, assign_of(node, "userBalance"), "_details",
                     result_shape("get_user_balance"));
    } else if (is(node, "action.check_channel_subscription")) {
        set(variables, assign_of(node, "isChannelSubscribed"), any());
        set_suffixed(variables, assign_of(node, "isChannelSubscribed"), "_status", any());
    }
}

static void set_by_node(json_t *variables, const struct wf_node *node)
{
    const json_t *config = node->config, *outer = json_object_get(node->data, "config");

    if (is(node, "action.set_variable")) {
        set(variables, wf_member2(config, "variableName", "name"), any());
    } else if (is(node, "action.database_query")) {
        set(variables, assign_of(node, NULL),
            result_shape(wf_member(config, "query", "")));
        set_values(variables, json_object_get(config, "resultMapping"));
    } else if (is(node, "action.api_request")) {
        set(variables, assign_of(node, NULL), any());
        set_keys(variables, json_object_get(config, "responseMapping"), "");
    } else if (is(node, "flow.loop")) {
        const char *name = wf_member2(config, "indexVariable", "iteratorVariable");

        set(variables, name != NULL ? name : "loop_index", any());
        set(variables, wf_member(config, "itemVariable", "loop_item"), any());
    } else if (is(node, "flow.sub_workflow")) {
        set_keys(variables, json_object_get(config, "inputMapping"), "sub_");
        set_keys(variables, json_object_get(config, "outputMapping"), "");
    } else {
        set(variables, assign_of(node, NULL), any());
    }
    set_by_customers(variables, node);
    set(variables, wf_member(config, "variableName", NULL), any());
    if (outer != config) {
        set(variables, wf_member(outer, "variableName", NULL), any());
        set(variables, wf_member(outer, "assignTo", NULL), any());
    }
    set_actions(variables, json_object_get(config, "keyboard"));
    set_actions(variables, json_object_get(config, "buttons"));
    set_actions(variables, json_object_get(outer, "keyboard"));
}

static void set_by_engine(json_t *variables)
{
    static const char *const names[] = { "condition_result", "switch_result",
                                         "delayJobId", "lastMessageId", "unknownSend" };
    static const char *const front_end[] = { "telegramUser", "contactUser" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        set(variables, names[i], any());
    set(variables, "contactReceived",
        shape("phoneNumber|email|type|receivedAt|verified"));
    set(variables, "callbackReceived", shape("data|receivedAt"));
    set(variables, "inputReceived", shape("text|receivedAt"));
    set(variables, "locationReceived", shape("latitude|longitude|receivedAt"));
    for (size_t i = 0; i < sizeof(front_end) / sizeof(front_end[0]); i++) {
        if (json_object_get(variables, front_end[i]) == NULL)
            set(variables, front_end[i], any());
    }
}

/* New reference. */
static json_t *variables_of(const json_t *workflow, const struct wf_graph *graph)
{
    json_t *variables = wf_must(json_object()), *item;
    size_t i;

    for (size_t n = 0; n < graph->node_count; n++)
        set_by_node(variables, &graph->nodes[n]);
    json_array_foreach(json_object_get(workflow, "variables"), i, item)
    {
        set(variables, wf_member(item, "name", NULL), any());
    }
    set_by_engine(variables);
    return variables;
}

/* --- all of them */

static void set_roots(json_t *roots, const json_t *variables)
{
    static const char scalars[] =
        "projectId|project_id|workflowId|workflow_id|executionId|execution_id|sessionId|"
        "session_id|version|userId|platform|step|message|callback|webhook";
    json_t *session = wf_must(json_copy((json_t *)(uintptr_t)variables));
    json_t *words = wf_words(scalars), *word;
    size_t i;

    json_array_foreach(words, i, word)
    {
        if (json_object_get(roots, json_string_value(word)) == NULL)
            wf_json_set(roots, json_string_value(word), any());
    }
    json_decref(words);
    wf_json_set(session, OPEN, any());
    wf_json_set(roots, "session", json_incref(session));
    wf_json_set(roots, "vars", session);
    wf_json_set(roots, "global", shape(OPEN));
    wf_json_set(roots, "telegram", telegram_shape());
    wf_json_set(roots, "project", project_shape());
    wf_json_set(roots, "now", shape("iso|timestamp|date"));
    wf_json_set(roots, "context",
                with(shape("projectId|workflowId|executionId|sessionId|version|userId|"
                           "platform"),
                     "telegram", telegram_shape()));
}

/* `user` as an object, and the flat names. */
static void set_customer(struct wf_names *names)
{
    json_t *flat = customer_names(), *user = wf_must(json_object()), *value;
    const char *key;

    json_object_foreach(flat, key, value)
    {
        if (strncmp(key, "user.", strlen("user.")) == 0)
            wf_json_set(user, key + strlen("user."), json_incref(value));
    }
    wf_json_set(names->roots, "user", user);
    wf_check(json_object_update_missing(names->flat, flat) == 0 ? BW_OK : BW_ENOMEM);
    json_decref(flat);
}

void wf_names_init(struct wf_names *names, const json_t *workflow,
                   const struct wf_graph *graph)
{
    json_t *variables = variables_of(workflow, graph);
    json_t *named = shape("username|first_name|user_id|chat_id|workflow_id|execution_id|"
                          "session_id|project.domain|project.name");

    names->roots = wf_must(json_copy(variables));
    names->flat = wf_must(json_copy(variables));
    set_roots(names->roots, variables);
    set_customer(names);
    wf_check(json_object_update_missing(names->flat, named) == 0 ? BW_OK : BW_ENOMEM);
    json_decref(named);
    json_decref(variables);
}

void wf_names_fini(struct wf_names *names)
{
    json_decref(names->roots);
    json_decref(names->flat);
    *names = (struct wf_names){ 0 };
}

bool wf_names_know(const struct wf_names *names, struct wf_text text)
{
    const json_t *shape = names->roots;
    struct wf_path path;

    if (!wf_path_parse(&path, text))
        return false;
    for (size_t i = 0; i < path.count && json_is_object(shape) &&
                       json_object_get(shape, OPEN) == NULL && !path.index[i];
         i++) {
        char *name = wf_printf("%.*s", (int)path.segments[i].len, path.segments[i].data);

        shape = json_object_get(shape, name);
        free(name);
        if (shape == NULL)
            return false;
    }
    return true;
}
