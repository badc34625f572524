#include "workflow/language/sanitise.h"

#include <stdbool.h>
#include <string.h>

#include "workflow/language/text.h"

#define DEPTH_MAX  10
#define TEXT_MAX   (1024 * 1024)
#define SHOWN      4 /* characters of a secret that stay visible … */
#define SHOWN_FROM 8 /* … if it has more than these */

static bool is_secret(const char *key)
{
    static const char *const words[] = {
        "password", "token",      "secret",  "apikey", "api_key", "authorization",
        "auth",     "credential", "private", "key",    "bearer",  "jwt",
        "session",  "cookie",     "csrf",    "xsrf",
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(key, words[i]) != NULL)
            return true;
    return false;
}

static json_t *masked(const json_t *secret)
{
    struct wf_text text = { json_string_value(secret), json_string_length(secret) };
    size_t shown = 0;

    if (wf_text_units(text) > SHOWN_FROM)
        for (int i = 0; i < SHOWN; i++)
            (void)wf_text_next(text, &shown);
    return json_sprintf("%.*s****[MASKED]", (int)shown, text.data);
}

static json_t *copy(const json_t *value, int depth);

static json_t *copy_member(const char *key, const json_t *value, int depth)
{
    if (json_is_string(value) && json_string_length(value) > 0 && is_secret(key))
        return masked(value);
    return copy(value, depth);
}

static json_t *copy_object(const json_t *object, int depth)
{
    json_t *made = json_object();
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)object, key, member)
    {
        if (json_object_set_new_nocheck(made, key, copy_member(key, member, depth + 1)) !=
            0) {
            json_decref(made);
            return NULL;
        }
    }
    return made;
}

static json_t *copy_array(const json_t *array, int depth)
{
    json_t *made = json_array();

    for (size_t i = 0; i < json_array_size(array); i++) {
        if (json_array_append_new(made, copy(json_array_get(array, i), depth + 1)) != 0) {
            json_decref(made);
            return NULL;
        }
    }
    return made;
}

static json_t *copy(const json_t *value, int depth)
{
    if (depth > DEPTH_MAX)
        return json_string("[MAX_DEPTH_EXCEEDED]");
    if (json_is_object(value))
        return copy_object(value, depth);
    if (json_is_array(value))
        return copy_array(value, depth);
    if (json_is_string(value) && json_string_length(value) > TEXT_MAX)
        return json_sprintf("[TRUNCATED: %zu bytes]", json_string_length(value));
    return json_copy((json_t *)value);
}

json_t *wf_sanitise(const json_t *value)
{
    return value != NULL ? copy(value, 0) : NULL;
}
