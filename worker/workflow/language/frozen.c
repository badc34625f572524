#include "workflow/language/frozen.h"

#define STILL ((size_t)-1) /* jansson leaves such a count alone */

/* As deep as what was parsed, which jansson bounds. */
static void set_counts(json_t *json, size_t count)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json == NULL || json_is_boolean(json) || json_is_null(json))
        return; /* jansson's own */
    json->refcount = count;
    json_object_foreach(json, key, member)
    {
        set_counts(member, count);
    }
    json_array_foreach(json, i, member)
    {
        set_counts(member, count);
    }
}

void wf_json_freeze(json_t *json)
{
    set_counts(json, STILL);
}

void wf_json_thaw(json_t *json)
{
    set_counts(json, 1);
}
