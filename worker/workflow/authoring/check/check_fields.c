#include "workflow/authoring/check/check_fields.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/check/check_members.h"
#include "workflow/authoring/check/fields.h"
#include "workflow/base/mem.h"
#include "workflow/nodes/nodes.h"

/* A value an author would call there. */
static bool is_there(const json_t *value)
{
    return value != NULL && !json_is_null(value) &&
           !(json_is_string(value) && json_string_length(value) == 0);
}

static const json_t *member(const json_t *config, const char *name, size_t len)
{
    char *key = wf_printf("%.*s", (int)len, name);
    const json_t *value = json_object_get(config, key);

    free(key);
    return is_there(value) ? value : NULL;
}

/* The first of the spellings "a|b" that is there; `*name` is it, or the first of all. New
 * text. */
static const json_t *find(const json_t *config, const char *names, char **name)
{
    const json_t *value = NULL;
    const char *at = names;
    size_t len;

    for (;; at += len + 1) {
        len = strcspn(at, "|");
        value = member(config, at, len);
        if (value != NULL || at[len] == '\0')
            break;
    }
    if (value == NULL)
        len = strcspn(at = names, "|");
    *name = wf_printf("%.*s", (int)len, at);
    return value;
}

static bool is_any_there(const json_t *config, const char *names)
{
    char *name;
    const json_t *value = find(config, names, &name);

    free(name);
    return value != NULL;
}

/* "key=a|b" */
static bool has_value(const json_t *config, const char *when)
{
    size_t len = strcspn(when, "=");
    const json_t *value = member(config, when, len);
    const char *text = value != NULL ? json_string_value(value) : "";
    const char *at = when + len + 1;

    while (text != NULL) {
        len = strcspn(at, "|");
        if (strlen(text) == len && strncmp(text, at, len) == 0)
            return true;
        if (at[len] == '\0')
            break;
        at += len + 1;
    }
    return false;
}

static bool applies(const struct wf_field *row, const struct wf_node *node)
{
    if (!wf_field_is_of(row, node->type))
        return false;
    if (row->when == NULL)
        return true;
    if (row->when[0] == '!')
        return !is_any_there(node->config, row->when + 1);
    return has_value(node->config, row->when);
}

static void check_row(const struct wf_site *site, const struct wf_field *row)
{
    char *name;
    const json_t *value = find(site->node->config, row->names, &name);

    if (value != NULL)
        row->check(site, name, value, row->arg);
    else if (row->missing != NULL)
        wf_site_problem(site, name, "%s", row->missing);
    free(name);
}

static const char *type_at(const void *arg, size_t index)
{
    const struct wf_node_handler *handler = wf_nodes_at(index);

    (void)arg;
    return handler != NULL ? handler->type : NULL;
}

void wf_check_fields(const struct wf_site *site)
{
    const struct wf_node_handler *handler = wf_nodes_find(site->node->type);

    if (handler == NULL) {
        wf_site_unknown(site, "type", "unknown type", site->node->type, type_at);
        return;
    }
    if (handler->needs_config && !site->node->has_config) {
        wf_site_problem(site, "data.config", "%s configuration is missing",
                        handler->name);
        return;
    }
    for (size_t i = 0; i < wf_field_count; i++) {
        if (applies(&wf_fields[i], site->node))
            check_row(site, &wf_fields[i]);
    }
    wf_check_members(site);
}
