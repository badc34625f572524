#include "workflow/language/graph/plain.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/language/keyboard.h"

/* ---- what a text reads: only names that no variable of the workflow stands behind
 * ---- */

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

/* ---- what a node reads ---- */

static const char *text_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* A condition or a switch looks at a path, with or without braces. */
static bool operand_is_plain(const json_t *config)
{
    const char *path = text_member(config, "variable");

    if (*path == '\0')
        path = text_member(config, "leftOperand");
    if (*path == '\0' || json_object_get(config, "expression") != NULL ||
        json_object_get(config, "expr") != NULL)
        return false;
    return strchr(path, '{') != NULL || path_is_plain(path, strlen(path));
}

static bool node_is_plain(const struct wf_node *node)
{
    static const char *const others[] = { "message", "message.keyboard.inline",
                                          "message.keyboard.reply", "flow.end", NULL };
    const json_t *scope = json_object_get(node->config, "scope");
    const char *type = node->type;

    if (!value_is_plain(node->config) || !value_is_plain(node->data))
        return false;
    if (strcmp(type, "condition") == 0 || strcmp(type, "flow.switch") == 0)
        return operand_is_plain(node->config);
    if (strcmp(type, "action.set_variable") == 0)
        return !json_is_string(scope) || strcmp(json_string_value(scope), "session") == 0;
    return strncmp(type, "trigger.", strlen("trigger.")) == 0 ||
           is_one_of(type, strlen(type), others);
}

/* A failed node may send the run anywhere. */
static bool settings_are_plain(const json_t *settings)
{
    const json_t *handling = json_object_get(settings, "errorHandling");

    return strcmp(text_member(handling, "action"), "goto_node") != 0 &&
           value_is_plain(handling);
}

/* ---- what can be reached ---- */

/* The ways between nodes, backwards: a list for each node a way leads to. */
struct way {
    size_t from;
    size_t next; /* in the list; SIZE_MAX: the last */
};

struct search {
    const struct wf_graph_store *store;
    struct way *ways;
    size_t *into; /* by node: the first of its list */
    size_t *open; /* nodes found not plain, those before them not yet told */
    bool *plain;
    size_t way_count, way_room, open_count;
};

static size_t count_ways(const struct wf_graph_store *store)
{
    size_t count = 0;

    for (size_t i = 0; i < store->node_count; i++)
        count += store->nodes[i].edge_count +
                 json_array_size(json_object_get(store->nodes[i].config, "cases"));
    return count;
}

static void add_way(struct search *search, size_t from, size_t to)
{
    if (to == SIZE_MAX)
        return;
    BW_ASSERT(search->way_count < search->way_room);
    search->ways[search->way_count] = (struct way){ from, search->into[to] };
    search->into[to] = search->way_count++;
}

/* Cases of a switch may name a node of their own. What comes behind a wait is another
 * run. */
static void add_ways_from(struct search *search, size_t from)
{
    const struct wf_node *node = &search->store->nodes[from];
    json_t *item;
    size_t i;

    if (wf_keyboard_wait(node) != WF_WAIT_NOTHING)
        return;
    for (i = 0; i < node->edge_count; i++)
        add_way(search, from, node->edges[i].target);
    json_array_foreach(json_object_get(node->config, "cases"), i, item)
    {
        add_way(search, from,
                wf_graph_index(search->store, text_member(item, "gotoNode")));
    }
}

static void set_not_plain(struct search *search, size_t index)
{
    if (!search->plain[index])
        return;
    search->plain[index] = false;
    search->open[search->open_count++] = index;
}

/* A run that may come to a node that is not plain is not plain itself. */
static void spread(struct search *search)
{
    const struct wf_graph_store *store = search->store;

    for (size_t i = 0; i < store->node_count; i++) {
        search->into[i] = SIZE_MAX;
        search->plain[i] = true;
    }
    for (size_t i = 0; i < store->node_count; i++)
        add_ways_from(search, i);
    for (size_t i = 0; i < store->node_count; i++) {
        if (!node_is_plain(&store->nodes[i]))
            set_not_plain(search, i);
    }
    while (search->open_count > 0) {
        size_t way = search->into[search->open[--search->open_count]];

        for (; way != SIZE_MAX; way = search->ways[way].next)
            set_not_plain(search, search->ways[way].from);
    }
}

int wf_plain_mark(struct wf_graph_store *store)
{
    struct search search = { .store = store };
    int rc = BW_ENOMEM;

    if (!settings_are_plain(store->settings_json))
        return BW_OK;
    search.way_room = count_ways(store);
    search.ways = calloc(search.way_room + 1, sizeof *search.ways);
    search.into = calloc(store->node_count + 1, sizeof *search.into);
    search.open = calloc(store->node_count + 1, sizeof *search.open);
    search.plain = calloc(store->node_count + 1, sizeof *search.plain);
    if (search.ways != NULL && search.into != NULL && search.open != NULL &&
        search.plain != NULL) {
        spread(&search);
        for (size_t i = 0; i < store->node_count; i++)
            store->nodes[i].starts_plain = search.plain[i];
        rc = BW_OK;
    }
    free(search.ways);
    free(search.into);
    free(search.open);
    free(search.plain);
    return rc;
}
