#include "json_scope.h"

#include <string.h>

static const char *const scopes[] = { "session", "user", "project", "global" };

static const json_t *variable(const json_t *values, const char *scope, const char *name)
{
    return json_object_get(json_object_get(values, scope), name);
}

static const json_t *get_root(void *arg, const char *name, const char *variables)
{
    const json_t *values = arg;
    const json_t *found;

    if (variables != NULL)
        return variable(values, variables, name);
    found = json_object_get(json_object_get(values, "roots"), name);
    if (found == NULL && (strcmp(name, "session") == 0 || strcmp(name, "global") == 0))
        found = json_object_get(values, name);
    for (size_t i = 0; found == NULL && i < sizeof scopes / sizeof *scopes; i++)
        found = variable(values, scopes[i], name);
    return found;
}

static const json_t *get_flat(void *arg, const char *name, bool *trusted)
{
    const json_t *values = arg;
    const json_t *found = json_object_get(json_object_get(values, "flat"), name);

    *trusted = false;
    if (found != NULL)
        return found;
    *trusted = true;
    return json_object_get(json_object_get(values, "trusted"), name);
}

struct wf_scope json_scope(const json_t *values)
{
    return (struct wf_scope){ .root = get_root, .flat = get_flat, .arg = (void *)values };
}
