/* A new execution without a look-up: nothing waits in the chat, and what will run needs
 * nothing of the database but its customer, who is in the cache.
 *
 * The flush of the run before asked the database whether anything else was open in the
 * chat; where nothing was, a key says so for less than a minute ("idle"), with the
 * session that the next execution goes on with. It is taken away by the next event of the
 * chat, whatever becomes of it, and by every wait. Trusted it is only when
 *
 * - the event is a person's own, in a private chat, and the job's first attempt (an
 *   attempt before may have left a row to go on from);
 * - no wait of the chat is in Redis, ours or Node's, and Node has started nothing for
 * this person since: it counts its starts in a key that outlives ours;
 * - Redis has not failed us since it may have been written;
 * - the job is younger than the connections to Redis, which might have come back older;
 * - no node that can be reached reads a variable that it would have to load. */
#include "workflow/run/run.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/run/job.h"
#include "workflow/language/keyboard.h"
#include "workflow/base/mem.h"
#include "workflow/run/wait_keys.h"

#define SKEW_MS 250   /* of the producers' clocks */
#define IDLE_MS 50000 /* Node's counter of starts stays for 60 s */

static bool is_own_chat(const struct wf_run *run)
{
    return run->has_turn && run->event.from_id != NULL &&
           strcmp(run->event.from_id, run->event.chat_id) == 0;
}

char *wf_warm_key(const struct wf_run *run)
{
    return wf_printf("workflow:idle:%s:%s", run->project_id, run->event.chat_id);
}

/* --- what a text reads: only names that no variable of the workflow stands behind */

static bool is_one_of(const char *name, size_t len, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strlen(*names) == len && strncmp(*names, name, len) == 0)
            return true;
    }
    return false;
}

/* `{{path}}`, or a path by itself: members of these roots, which are always there. */
static bool path_is_plain(const char *path, size_t len)
{
    static const char *const roots[] = { "telegram", "user",      "project",
                                         "userId",   "projectId", "workflowId",
                                         "now",      "platform",  NULL };
    size_t root = 0;

    while (len > 0 && *path == ' ') {
        path++;
        len--;
    }
    while (root < len && isalnum((unsigned char)path[root]))
        root++;
    for (size_t i = root; i < len; i++) {
        if (!isalnum((unsigned char)path[i]) && strchr("._[] ", path[i]) == NULL)
            return false;
    }
    return is_one_of(path, root, roots);
}

/* `{name}`: of the customer (all that are always set), the person or the project. */
static bool name_is_plain(const char *name, size_t len)
{
    static const char *const names[] = { "user.firstName",
                                         "user.lastName",
                                         "user.fullName",
                                         "user.name",
                                         "user.email",
                                         "user.phone",
                                         "user.balance",
                                         "user.balanceFormatted",
                                         "user.totalEarned",
                                         "user.totalEarnedFormatted",
                                         "user.totalSpent",
                                         "user.totalSpentFormatted",
                                         "user.totalPurchases",
                                         "user.totalPurchasesFormatted",
                                         "user.currentLevel",
                                         "user.progressBar",
                                         "user.progressPercent",
                                         "user.nextLevelName",
                                         "user.nextLevelAmount",
                                         "user.nextLevelAmountFormatted",
                                         "user.transactionCount",
                                         "user.bonusCount",
                                         "user.referralCode",
                                         "user.referralLink",
                                         "project.name",
                                         "project.domain",
                                         "first_name",
                                         "username",
                                         NULL };

    return is_one_of(name, len, names);
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static bool text_is_plain(const char *text)
{
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        size_t len = 0;

        if (at[1] == '{') {
            const char *end = strstr(at + 2, "}}");

            if (end == NULL || !path_is_plain(at + 2, (size_t)(end - at - 2)))
                return false;
            at = end;
            continue;
        }
        while (is_name_char(at[1 + len]))
            len++;
        if (len > 0 && at[1 + len] == '}' && !name_is_plain(at + 1, len))
            return false;
    }
    return true;
}

static bool value_is_plain(const json_t *value)
{
    const char *key, *text = json_string_value(value);
    json_t *member;
    size_t i;

    if (text != NULL)
        return text_is_plain(text);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (!value_is_plain(member))
            return false;
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, member)
    {
        if (!value_is_plain(member))
            return false;
    }
    return true;
}

/* --- what a node reads */

/* A condition or a switch looks at a path, with or without braces. */
static bool operand_is_plain(const json_t *config)
{
    const char *path = wf_member2(config, "variable", "leftOperand");

    if (path == NULL || json_object_get(config, "expression") != NULL ||
        json_object_get(config, "expr") != NULL)
        return false;
    return strchr(path, '{') != NULL || path_is_plain(path, strlen(path));
}

static bool node_is_plain(const struct wf_node *node)
{
    static const char *const others[] = { "message", "message.keyboard.inline",
                                          "message.keyboard.reply", "flow.end", NULL };
    const char *type = node->type;

    if (!value_is_plain(node->config) || !value_is_plain(node->data))
        return false;
    if (strcmp(type, "condition") == 0 || strcmp(type, "flow.switch") == 0)
        return operand_is_plain(node->config);
    if (strcmp(type, "action.set_variable") == 0)
        return strcmp(wf_member(node->config, "scope", "session"), "session") == 0;
    return strncmp(type, "trigger.", strlen("trigger.")) == 0 ||
           is_one_of(type, strlen(type), others);
}

/* --- what can be reached */

struct search {
    const struct wf_graph *graph;
    bool *seen;
    size_t *open, count;
};

static void reach(struct search *search, size_t index)
{
    if (index >= search->graph->node_count || search->seen[index])
        return;
    search->seen[index] = true;
    search->open[search->count++] = index;
}

/* Cases of a switch may name a node of their own. */
static void reach_cases(struct search *search, const struct wf_node *node)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(node->config, "cases"), i, item)
    {
        const struct wf_node *target =
            wf_graph_find(search->graph, wf_member(item, "gotoNode", ""));

        if (target != NULL)
            reach(search, (size_t)(target - search->graph->nodes));
    }
}

static bool path_is_free(const struct wf_graph *graph, const struct wf_node *trigger)
{
    struct search search = { .graph = graph };
    bool plain = true;

    search.seen = wf_alloc((graph->node_count + 1) * sizeof(*search.seen));
    search.open = wf_alloc((graph->node_count + 1) * sizeof(*search.open));
    reach(&search, (size_t)(trigger - graph->nodes));
    while (plain && search.count > 0) {
        const struct wf_node *node = &graph->nodes[search.open[--search.count]];

        plain = node_is_plain(node);
        if (wf_keyboard_wait(node) != NULL)
            continue; /* what comes behind a wait is another run */
        for (size_t i = 0; i < node->edge_count; i++)
            reach(&search, node->edges[i].target);
        reach_cases(&search, node);
    }
    free(search.seen);
    free(search.open);
    return plain;
}

/* A failed node may send the run anywhere. */
static bool settings_are_plain(const struct wf_graph *graph)
{
    const json_t *handling = json_object_get(graph->settings, "errorHandling");

    return strcmp(wf_member(handling, "action", ""), "goto_node") != 0 &&
           value_is_plain(handling);
}

/* --- the event */

static bool is_known(const struct wf_run *run, const json_t *idle)
{
    char *user_id = wf_person_recall(run);
    bool same = user_id != NULL && strcmp(user_id, wf_member(idle, "userId", "")) == 0;

    free(user_id);
    return same;
}

/* A job that was there before the connections may have been run before, by somebody whose
 * marks Redis has lost since: only the database knows. */
static bool is_old(const struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;

    return effects->redis_since == NULL ||
           wf_job_timestamp(run) < effects->redis_since(effects->arg) + SKEW_MS;
}

static bool may_start(const struct wf_run *run)
{
    const struct wf_node *trigger;

    if (!is_own_chat(run) || run->event.kind == WF_EVENT_OTHER ||
        wf_job_attempts_started(run) > 1 || run->unsure || is_old(run) ||
        run->event.first_name == NULL || run->event.username == NULL || run->redis_away ||
        wf_engine_redis_failed_lately(run->engine) || run->graph == NULL ||
        strcmp(wf_member(run->idle, "workflowId", ""), run->graph->workflow_id) != 0 ||
        *wf_member(run->idle, "sessionId", "") == '\0' || !is_known(run, run->idle))
        return false;
    trigger = wf_graph_trigger(run->graph, &run->event);
    return trigger != NULL && settings_are_plain(run->graph) &&
           path_is_free(run->graph, trigger);
}

void wf_warm_keys(struct wf_run *run)
{
    static const char *const types[] = { "contact",  "input", "callback",
                                         "location", "poll",  NULL };

    run->warm_at = 0;
    if (run->idle == NULL)
        return;
    (void)wf_kv_add(&run->kv, WF_KV_DELETE, wf_warm_key(run), NULL, 0);
    if (!may_start(run))
        return;
    run->warm_at = wf_kv_add(&run->kv, WF_KV_EXISTS,
                             wf_printf("rate_limit:WORKFLOW_EXECUTION:%s:%s",
                                       run->project_id, run->event.from_id),
                             NULL, 0);
    for (size_t i = 0; types[i] != NULL; i++)
        (void)wf_kv_add(&run->kv, WF_KV_EXISTS, wf_node_waiting_key(run, types[i]), NULL,
                        0);
}

bool wf_warm_ready(struct wf_run *run)
{
    bool free_chat = run->warm_at != 0;

    for (size_t i = run->warm_at; free_chat && i < run->kv.count; i++) {
        const struct wf_kv_item *item = wf_kv_at(&run->kv, i);

        free_chat = !item->yes && !item->memory;
    }
    run->warm_at = 0;
    if (!free_chat || (wf_person_wanted(run) && !run->customer_known))
        return false;
    wf_person_set(run, wf_member(run->idle, "userId", NULL));
    run->warm = true;
    return true;
}

const char *wf_warm_session(const struct wf_run *run)
{
    return run->event.kind == WF_EVENT_START ? NULL
                                             : wf_member(run->idle, "sessionId", NULL);
}

void wf_warm_leave(struct wf_run *run)
{
    json_t *value;

    if (!run->only_one || run->went_private || !is_own_chat(run) ||
        run->user_id == NULL) {
        (void)wf_kv_add(&run->kv, WF_KV_DELETE, wf_warm_key(run), NULL, 0);
        return;
    }
    value = wf_must(json_object());
    wf_json_set_text(value, "sessionId", run->x.session_id);
    wf_json_set_text(value, "workflowId", run->x.workflow_id);
    wf_json_set_text(value, "userId", run->user_id);
    (void)wf_kv_add(&run->kv, WF_KV_SET, wf_warm_key(run), wf_dumps(value), IDLE_MS);
    json_decref(value);
}
