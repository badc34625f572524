#include "workflow/language/graph/reads.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* ---- what the whole graph may want ---- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '$';
}

/* `user` as a name of its own (not telegramUser, userId or telegram.user), or a flat
 * customer name. */
static bool text_reads_customer(const char *text)
{
    for (const char *at = strstr(text, "user"); at != NULL; at = strstr(at + 1, "user")) {
        bool starts = at == text || (!is_name_char(at[-1]) && at[-1] != '.');

        if (starts && !is_name_char(at[strlen("user")]))
            return true;
    }
    return strstr(text, "transactions.") != NULL;
}

static bool value_reads_customer(const json_t *value)
{
    const char *key;
    json_t *member;

    if (json_is_string(value))
        return text_reads_customer(json_string_value(value));
    for (size_t i = 0; i < json_array_size(value); i++)
        if (value_reads_customer(json_array_get(value, i)))
            return true;
    json_object_foreach((json_t *)value, key, member)
    {
        if (value_reads_customer(member))
            return true;
    }
    return false;
}

bool wf_reads_customer(const struct wf_node *node)
{
    return strcmp(node->type, "action.menu_command") == 0 ||
           value_reads_customer(node->config) ||
           value_reads_customer(json_object_get(node->data, "config"));
}

/* ---- what a node speaks of ---- */

/* `user` as a word of its own: not `telegram.userId`, not `contactUser`. */
static bool names_user(const char *text)
{
    for (const char *at = strstr(text, "user"); at != NULL; at = strstr(at + 4, "user")) {
        char before = at > text ? at[-1] : ' ', after = at[4];

        if (!isalnum((unsigned char)before) && before != '_' && before != '.' &&
            !isalnum((unsigned char)after) && after != '_')
            return true;
    }
    return false;
}

static void mark_text(struct wf_node *node, const char *text)
{
    node->names_customer =
        node->names_customer || names_user(text) || strstr(text, "transactions.") != NULL;
    node->has_placeholder = node->has_placeholder || strchr(text, '{') != NULL;
}

static void mark_value(struct wf_node *node, const json_t *value)
{
    const char *key, *text = json_string_value(value);
    json_t *member;
    size_t i;

    if (text != NULL)
        mark_text(node, text);
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        mark_value(node, member);
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, member)
    {
        mark_value(node, member);
    }
}

bool wf_reads_code(const json_t *value)
{
    const char *key, *text = json_string_value(value);
    json_t *member;
    size_t i;

    if (text != NULL) /* hasReferralCode, referralLinkShort, too */
        return strstr(text, "eferralCode") != NULL ||
               strstr(text, "referralLink") != NULL;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (wf_reads_code(member))
            return true;
    }
    json_array_foreach((json_t *)(uintptr_t)value, i, member)
    {
        if (wf_reads_code(member))
            return true;
    }
    return false;
}

void wf_reads_mark(struct wf_graph_store *store)
{
    for (size_t i = 0; i < store->node_count; i++) {
        struct wf_node *node = &store->nodes[i];

        mark_value(node, node->config);
        mark_value(node, node->data);
        node->names_code = wf_reads_code(node->config) || wf_reads_code(node->data);
    }
}
