#include "config/schema.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

/* ---- names */

static const char *field_name_at(const void *arg, size_t index)
{
    const struct wk_schema *schema = arg;

    return index < schema->count ? schema->fields[index].key : NULL;
}

int wk_unknown_key(const struct wk_schema *schema, const char *path, const char *key,
                   struct bw_error *err)
{
    const char *near = wk_nearest(key, field_name_at, schema);
    char full[WK_PATH_MAX];

    wk_path_join(full, path, key);
    if (near == NULL)
        return bw_error_set(err, BW_EINVAL, "%s: unknown key \"%.64s\"", full, key);
    return bw_error_set(err, BW_EINVAL, "%s: unknown key \"%.64s\", did you mean \"%s\"?",
                        full, key, near);
}

void wk_path_join(char out[WK_PATH_MAX], const char *path, const char *key)
{
    (void)snprintf(out, WK_PATH_MAX, "%.90s%s%.64s", path, *path != '\0' ? "." : "", key);
}

/* ---- values */

int wk_set_text(char **at, const char *text, struct bw_error *err)
{
    char *copy = NULL;

    if (text != NULL) {
        copy = strdup(text);
        if (copy == NULL)
            return bw_error_set(err, BW_ENOMEM, "out of memory");
    }
    free(*at);
    *at = copy;
    return BW_OK;
}

/* The integers that a double holds exactly; beyond them a JSON number may not be what was
 * meant. */
#define EXACT_MAX 9007199254740992.0

static int out_of_range(const char *path, int64_t min, int64_t max, struct bw_error *err)
{
    if (max == INT64_MAX)
        return bw_error_set(err, BW_EINVAL, "%s: must be at least %" PRId64, path, min);
    return bw_error_set(err, BW_EINVAL, "%s: must be from %" PRId64 " to %" PRId64, path,
                        min, max);
}

int wk_read_number(const json_t *value, int64_t min, int64_t max, const char *path,
                   int64_t *out, struct bw_error *err)
{
    int64_t number;

    if (json_is_integer(value)) {
        number = json_integer_value(value);
    } else if (json_is_real(value) && fabs(json_real_value(value)) <= EXACT_MAX &&
               floor(json_real_value(value)) == json_real_value(value)) {
        number = (int64_t)json_real_value(value);
    } else {
        return bw_error_set(err, BW_EINVAL, "%s: must be a whole number", path);
    }
    if (number < min || number > max)
        return out_of_range(path, min, max, err);
    *out = number;
    return BW_OK;
}

static int read_seconds(const json_t *value, const struct wk_field *field,
                        const char *path, int64_t *out, struct bw_error *err)
{
    double ms;

    if (!json_is_number(value))
        return bw_error_set(err, BW_EINVAL, "%s: must be a number of seconds", path);
    ms = json_number_value(value) * 1000.0;
    if (!(ms >= (double)field->min && ms <= (double)field->max))
        return bw_error_set(err, BW_EINVAL, "%s: must be from %g to %g seconds", path,
                            (double)field->min / 1000.0, (double)field->max / 1000.0);
    *out = (int64_t)llround(ms);
    return BW_OK;
}

static int read_text(const json_t *value, const char *path, char **at,
                     struct bw_error *err)
{
    if (!json_is_string(value))
        return bw_error_set(err, BW_EINVAL, "%s: must be a string", path);
    if (json_string_length(value) == 0)
        return bw_error_set(err, BW_EINVAL, "%s: must not be empty", path);
    return wk_set_text(at, json_string_value(value), err);
}

/* Secrets are pasted from files that end with a newline; no URL or token has a blank. */
static void trim(char *text)
{
    static const char blank[] = " \t\r\n\v\f";
    size_t start = strspn(text, blank), len = strlen(text + start);

    while (len > 0 && strchr(blank, text[start + len - 1]) != NULL)
        len--;
    memmove(text, text + start, len);
    text[len] = '\0';
}

static int read_field(const struct wk_field *field, void *base, const json_t *value,
                      const char *path, struct bw_error *err)
{
    void *at = (char *)base + field->offset;
    int64_t number;
    int rc;

    switch (field->kind) {
    case WK_TEXT:
        return read_text(value, path, at, err);
    case WK_SECRET:
        rc = read_text(value, path, at, err);
        if (rc == BW_OK)
            trim(*(char **)at);
        return rc;
    case WK_BOOL:
        if (!json_is_boolean(value))
            return bw_error_set(err, BW_EINVAL, "%s: must be true or false", path);
        *(bool *)at = json_is_true(value);
        return BW_OK;
    case WK_UINT:
        rc = wk_read_number(value, field->min, field->max, path, &number, err);
        if (rc == BW_OK)
            *(unsigned *)at = (unsigned)number;
        return rc;
    case WK_INT:
        return wk_read_number(value, field->min, field->max, path, at, err);
    case WK_SECONDS:
        return read_seconds(value, field, path, at, err);
    case WK_OBJECT:
        return wk_schema_read(field->sub, at, value, path, err);
    case WK_CUSTOM:
        return field->read(at, value, path, err);
    }
    return bw_error_set(err, BW_EINVAL, "%s: unreadable kind", path);
}

/* ---- objects */

int wk_schema_defaults(const struct wk_schema *schema, void *base, struct bw_error *err)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct wk_field *field = &schema->fields[i];
        void *at = (char *)base + field->offset;
        int rc = BW_OK;

        switch (field->kind) {
        case WK_TEXT:
        case WK_SECRET:
            rc = wk_set_text(at, field->def_text, err);
            break;
        case WK_BOOL:
            *(bool *)at = field->def != 0;
            break;
        case WK_UINT:
            *(unsigned *)at = (unsigned)field->def;
            break;
        case WK_INT:
        case WK_SECONDS:
            *(int64_t *)at = field->def;
            break;
        case WK_OBJECT:
            rc = wk_schema_defaults(field->sub, at, err);
            break;
        case WK_CUSTOM:
            break;
        }
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

static const struct wk_field *find_field(const struct wk_schema *schema, const char *key)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->fields[i].key, key) == 0)
            return &schema->fields[i];
    }
    return NULL;
}

int wk_schema_read(const struct wk_schema *schema, void *base, const json_t *object,
                   const char *path, struct bw_error *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return bw_error_set(err, BW_EINVAL, "%s: must be an object",
                            *path != '\0' ? path : "configuration");
    json_object_foreach((json_t *)object, key, value)
    {
        const struct wk_field *field = find_field(schema, key);
        char full[WK_PATH_MAX];
        int rc;

        if (field == NULL)
            return wk_unknown_key(schema, path, key, err);
        wk_path_join(full, path, key);
        rc = read_field(field, base, value, full, err);
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

void wk_schema_fini(const struct wk_schema *schema, void *base)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct wk_field *field = &schema->fields[i];
        void *at = (char *)base + field->offset;

        if (field->kind == WK_TEXT || field->kind == WK_SECRET) {
            free(*(char **)at);
            *(char **)at = NULL;
        } else if (field->kind == WK_OBJECT) {
            wk_schema_fini(field->sub, at);
        }
    }
}

/* ---- help */

static int help_default(const struct wk_field *field, struct bw_buf *out)
{
    switch (field->kind) {
    case WK_TEXT:
        return field->def_text == NULL ? BW_OK
                                       : bw_buf_addf(out, " [%s]", field->def_text);
    case WK_BOOL:
        return bw_buf_addf(out, " [%s]", field->def != 0 ? "true" : "false");
    case WK_UINT:
    case WK_INT:
        return field->def < field->min ? BW_OK
                                       : bw_buf_addf(out, " [%" PRId64 "]", field->def);
    case WK_SECONDS:
        return bw_buf_addf(out, " [%g]", (double)field->def / 1000.0);
    case WK_SECRET:
    case WK_OBJECT:
    case WK_CUSTOM:
        break;
    }
    return BW_OK;
}

int wk_schema_help(const struct wk_schema *schema, const char *prefix, struct bw_buf *out)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct wk_field *field = &schema->fields[i];
        char path[WK_PATH_MAX];
        int rc;

        wk_path_join(path, prefix, field->key);
        if (field->kind == WK_OBJECT) {
            rc = wk_schema_help(field->sub, path, out);
        } else {
            rc = bw_buf_addf(out, "  %-32s %s", path, field->help);
            if (rc == BW_OK)
                rc = help_default(field, out);
            if (rc == BW_OK)
                rc = bw_buf_add_char(out, '\n');
        }
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}
