#include "workflow/run/personal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/place.h"
#include "workflow/run/wait_keys.h"
#include "workflow/run/io.h"
#include "workflow/run/values.h"

/* What Telegram says instead of a person: an admin without a name, a channel's post. */
#define ANONYMOUS_ID "1087968824"
#define CHANNEL_ID   "136817688"

/* --- words in templates */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* `name` as the root of a path within `len` bytes. */
static bool names_root(const char *text, size_t len, const char *name)
{
    size_t size = strlen(name);

    for (size_t at = 0; size > 0 && at + size <= len; at++) {
        if (strncmp(text + at, name, size) == 0 &&
            (at == 0 || (!is_word(text[at - 1]) && text[at - 1] != '.')) &&
            (at + size == len || !is_word(text[at + size])))
            return true;
    }
    return false;
}

typedef bool matcher(const struct wf_run *run, const char *text, size_t len);

/* Does a placeholder of the text match? `whole`: the text itself is a path. */
static bool text_matches(const struct wf_run *run, const char *text, bool whole,
                         matcher *match)
{
    if (whole && match(run, text, strlen(text)))
        return true;
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t len = strcspn(at + 1, "{}");

        if (match(run, at + 1, len))
            return true;
    }
    return false;
}

static bool value_matches(const struct wf_run *run, const json_t *value, bool whole,
                          matcher *match)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(value))
        return text_matches(run, json_string_value(value), whole, match);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (value_matches(run, member, whole, match))
            return true;
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, member)
    {
        if (value_matches(run, member, whole, match))
            return true;
    }
    return false;
}

static bool names_person(const char *text, size_t len)
{
    return names_root(text, len, "user") || names_root(text, len, "transactions");
}

/* A variable of the project whose text speaks of the customer. */
static bool names_project_text(const struct wf_run *run, const char *text, size_t len)
{
    const char *key;
    json_t *value;

    if (!run->project->reads_customer)
        return false;
    json_object_foreach(run->project->variables, key, value)
    {
        const char *own = json_string_value(value);

        if (own != NULL &&
            (strstr(own, "user.") != NULL || strstr(own, "transactions.") != NULL) &&
            memmem(text, len, key, strlen(key)) != NULL)
            return true;
    }
    return false;
}

/* Of what a node sets: any value that may tell of a customer. */
static bool match_source(const struct wf_run *run, const char *text, size_t len)
{
    const char *name;
    json_t *mark;

    if (names_person(text, len) || names_project_text(run, text, len))
        return true;
    json_object_foreach(run->personal.names, name, mark)
    {
        if (names_root(text, len, name))
            return true;
    }
    return false;
}

static bool has_value(const struct wf_run *run, const char *name)
{
    for (int scope = 0; scope < WF_SCOPES; scope++) {
        const json_t *value = wf_run_get(run, (enum wf_scope_name)scope, name);

        if (value != NULL && !json_is_null(value))
            return true;
    }
    return false;
}

/* Of what is said: only what is known tells anything. */
static bool match_said(const struct wf_run *run, const char *text, size_t len)
{
    const char *name;
    json_t *mark;

    if (run->user_id != NULL &&
        (names_person(text, len) || names_project_text(run, text, len)))
        return true;
    json_object_foreach(run->personal.names, name, mark)
    {
        if (names_root(text, len, name) && has_value(run, name))
            return true;
    }
    return false;
}

/* --- variables that tell of a customer: by what any node of the graph sets them from */

static bool mark(struct wf_run *run, const char *name)
{
    if (name == NULL || *name == '\0' ||
        json_object_get(run->personal.names, name) != NULL)
        return false;
    wf_json_set(run->personal.names, name, json_true());
    return true;
}

static bool is_type(const struct wf_node *node, const char *type)
{
    return strcmp(node->type, type) == 0;
}

static bool mark_members(struct wf_run *run, const json_t *object, bool keys)
{
    const char *key;
    json_t *value;
    bool more = false;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        more = mark(run, keys ? key : json_string_value(value)) || more;
    }
    return more;
}

/* Every query answers about a customer. */
static bool mark_query(struct wf_run *run, const struct wf_node *node)
{
    bool more = mark(run, wf_run_assign(node, NULL));

    return mark_members(run, json_object_get(node->config, "resultMapping"), false) ||
           more;
}

static bool mark_account(struct wf_run *run, const struct wf_node *node)
{
    static const char *const types[][3] = {
        { "action.check_user_linked", "isUserLinked", "_user" },
        { "action.find_user_by_contact", "foundUser", "" },
        { "action.get_user_balance", "userBalance", "_details" },
    };
    bool more = false;

    if (is_type(node, "action.link_telegram_account"))
        return mark(run, "linkedUser");
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_type(node, types[i][0])) {
            const char *name = wf_run_assign(node, types[i][1]);
            char *other = wf_printf("%s%s", name, types[i][2]);

            if (i != 0) /* whether somebody is linked tells nothing */
                more = mark(run, name);
            more = mark(run, other) || more;
            free(other);
        }
    }
    return more;
}

/* Set from something else that may tell. */
static bool mark_derived(struct wf_run *run, const struct wf_node *node)
{
    const json_t *config = node->config;
    bool more = false;

    if (is_type(node, "action.set_variable") &&
        value_matches(run, config, false, match_source))
        return mark(run, wf_member2(config, "variableName", "name"));
    if (is_type(node, "action.get_variable") &&
        value_matches(run, config, true, match_source))
        return mark(run, wf_run_assign(node, NULL));
    if (is_type(node, "flow.loop") &&
        value_matches(run, json_object_get(config, "array"), true, match_source))
        return mark(run, wf_member(config, "itemVariable", "loop_item"));
    if (is_type(node, "action.api_request") &&
        value_matches(run, config, false, match_source)) {
        more = mark(run, wf_run_assign(node, NULL));
        more =
            mark_members(run, json_object_get(config, "responseMapping"), true) || more;
    }
    /* what comes back of a sub-workflow that got, or may find, a customer */
    if (is_type(node, "flow.sub_workflow"))
        more = mark_members(run, json_object_get(config, "outputMapping"), true) || more;
    return more;
}

/* In a sub-workflow, what it was given may tell, too. */
static void mark_given(struct wf_run *run)
{
    const char *key;
    json_t *entry;

    if (run->outer == NULL)
        return;
    json_object_foreach(run->vars[WF_SESSION], key, entry)
    {
        if (json_is_object(entry) || json_is_array(entry))
            (void)mark(run, key);
    }
}

static void find_variables(struct wf_run *run)
{
    bool more = true;

    json_decref(run->personal.names);
    run->personal.names = wf_must(json_object());
    mark_given(run);
    while (more) {
        more = false;
        for (size_t i = 0; i < run->graph->node_count; i++) {
            const struct wf_node *node = &run->graph->nodes[i];

            if (is_type(node, "action.database_query"))
                more = mark_query(run, node) || more;
            more = mark_account(run, node) || mark_derived(run, node) || more;
        }
    }
}

/* --- the move */

static void leave_group(struct wf_run *run)
{
    struct wf_event *event = &run->event;

    wf_place_forget(event);
    wf_set(&event->chat_type, "private");
    wf_set(&event->callback_message_id, NULL); /* it lies in the group */
    event->shared = false;
    run->personal.moved = true;
}

/* The session of the private chat begins with the variables of this one. */
static void take_variables(struct wf_run *run)
{
    json_t *copy = wf_must(json_copy(run->vars[WF_SESSION])), *value;
    const char *key;

    json_object_foreach(copy, key, value)
    {
        if (json_object_get(run->dirty, key) == NULL && strcmp(key, "lastMessageId") != 0)
            wf_run_set(run, key, json_incref(value), 0);
    }
    json_decref(copy);
}

static void go_private(struct wf_run *run)
{
    char *session = wf_printf("%s_%s_%lld", run->event.from_id, run->event.from_id,
                              (long long)wf_engine_now_ms(run->engine));

    bw_log(wf_job_log(run), BW_LOG_INFO, "a personal message goes to the private chat",
           bw_text("project", run->project_id), bw_text("chat", run->event.chat_id));
    if (run->execution.resumed)
        wf_waiting_forget(run, run->execution.session_id);
    wf_set(&run->event.chat_id, run->event.from_id);
    leave_group(run);
    take_variables(run);
    wf_set(&run->execution.session_id, session);
    free(session);
    wf_json_set_text(run->telegram, "chatId", run->event.chat_id);
    json_decref(run->roots);
    run->roots = wf_must(json_object()); /* sessionId */
}

static enum wf_personal_say settle(struct wf_run *run)
{
    const char *policy = run->engine->settings.group_personal;
    const char *person = run->event.from_id;

    if (strcmp(policy, "chat") == 0)
        return WF_PERSONAL_GO;
    if (strcmp(policy, "drop") == 0)
        return WF_PERSONAL_DROP;
    if (person == NULL || strcmp(person, ANONYMOUS_ID) == 0 ||
        strcmp(person, CHANNEL_ID) == 0 || wf_db_bigint(person) == NULL)
        return WF_PERSONAL_NOBODY;
    go_private(run);
    return WF_PERSONAL_GO;
}

/* --- who says what */

static bool is_page(const struct wf_node *node)
{
    return is_type(node, "action.menu_command") ||
           strncmp(node->type, "action.partner_", strlen("action.partner_")) == 0;
}

static bool is_said(const struct wf_run *run, const struct wf_node *node)
{
    if (is_type(node, "action.send_notification"))
        return json_object_get(node->config, "recipient") == NULL;
    if (is_type(node, "message.delete"))
        return false;
    (void)run;
    return is_type(node, "message") || strncmp(node->type, "message.", 8) == 0 ||
           is_type(node, "action.request_contact") || is_type(node, "flow.wait");
}

enum wf_personal_say wf_personal_admit(struct wf_run *run)
{
    if (!run->event.shared || run->event.chat_id == NULL)
        return WF_PERSONAL_GO;
    if (is_page(run->node))
        return run->user_id != NULL ? settle(run) : WF_PERSONAL_GO;
    if (!is_said(run, run->node))
        return WF_PERSONAL_GO;
    find_variables(run);
    return value_matches(run, run->node->config, false, match_said) ||
                   value_matches(run, run->node->data, false, match_said)
               ? settle(run)
               : WF_PERSONAL_GO;
}

enum wf_personal_say wf_personal_admit_text(struct wf_run *run, const json_t *text)
{
    if (!run->event.shared || run->event.chat_id == NULL)
        return WF_PERSONAL_GO;
    find_variables(run);
    return value_matches(run, text, false, match_said) ? settle(run) : WF_PERSONAL_GO;
}

/* --- over a crash */

void wf_personal_keep(const struct wf_run *run, json_t *parts)
{
    if (!run->personal.moved)
        return;
    wf_json_set_text(parts, "privateChat", run->event.chat_id);
}

void wf_personal_take(struct wf_run *run, const json_t *parts)
{
    const char *chat = wf_member(parts, "privateChat", NULL);

    if (chat == NULL)
        return;
    wf_set(&run->event.chat_id, chat);
    leave_group(run);
}
