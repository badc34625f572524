#include "base/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"

/* ---- names */

#define LEVEL_MAX 64
#define KEY_MAX   48

const struct wk_field *wk_schema_find(const struct wk_schema *schema, const char *key)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (strcmp(schema->fields[i].key, key) == 0)
            return &schema->fields[i];
    }
    return NULL;
}

/* What comes after `inner` ("" or "limiter.") in the key; NULL: it lies elsewhere. */
static const char *within(const struct wk_field *field, const char *inner)
{
    size_t len = strlen(inner);

    return strncmp(field->key, inner, len) == 0 ? field->key + len : NULL;
}

/* The names of one object. */
struct level {
    char names[LEVEL_MAX][KEY_MAX];
    size_t count;
};

static void fill_level(struct level *level, const struct wk_schema *schema,
                       const char *inner)
{
    level->count = 0;
    for (size_t i = 0; i < schema->count && level->count < LEVEL_MAX; i++) {
        const char *rest = within(&schema->fields[i], inner);
        int len = rest != NULL ? (int)strcspn(rest, ".") : 0;

        if (rest != NULL)
            (void)snprintf(level->names[level->count++], KEY_MAX, "%.*s", len, rest);
    }
}

static const char *level_name_at(const void *arg, size_t index)
{
    const struct level *level = arg;

    return index < level->count ? level->names[index] : NULL;
}

static int unknown_key(const struct wk_schema *schema, const char *inner,
                       const char *path, const char *key, struct bw_error *err)
{
    struct level level;
    const char *near;

    fill_level(&level, schema, inner);
    near = wk_nearest(key, level_name_at, &level);
    if (near == NULL)
        return bw_error_set(err, BW_EINVAL, "%s: unknown key \"%.64s\"", path, key);
    return bw_error_set(err, BW_EINVAL, "%s: unknown key \"%.64s\", did you mean \"%s\"?",
                        path, key, near);
}

/* "path.key", or "key" for the empty path; cut at the limit. */
static void join(char out[WK_PATH_MAX], const char *path, const char *key)
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
        case WK_CUSTOM:
            break;
        }
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

/* `inner` is the object's own part of the keys, with a dot behind, or "". */
static int read_level(const struct wk_schema *schema, const char *inner, void *base,
                      const json_t *object, const char *path, struct bw_error *err);

static bool is_object_key(const struct wk_schema *schema, const char *inner)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (within(&schema->fields[i], inner) != NULL)
            return true;
    }
    return false;
}

static int read_key(const struct wk_schema *schema, const char *inner, const char *key,
                    void *base, const json_t *value, const char *path,
                    struct bw_error *err)
{
    const struct wk_field *field;
    char name[WK_PATH_MAX];

    /* As long as no key is, or with a dot of its own: not one of ours. */
    if (strlen(key) >= KEY_MAX || strchr(key, '.') != NULL)
        return unknown_key(schema, inner, path, key, err);
    (void)snprintf(name, sizeof name, "%.64s%.64s", inner, key);
    field = wk_schema_find(schema, name);
    if (field != NULL)
        return read_field(field, base, value, path, err);
    (void)snprintf(name, sizeof name, "%.64s%.64s.", inner, key);
    if (is_object_key(schema, name))
        return read_level(schema, name, base, value, path, err);
    return unknown_key(schema, inner, path, key, err);
}

static int read_level(const struct wk_schema *schema, const char *inner, void *base,
                      const json_t *object, const char *path, struct bw_error *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return bw_error_set(err, BW_EINVAL, "%s: must be an object",
                            *path != '\0' ? path : "configuration");
    json_object_foreach((json_t *)object, key, value)
    {
        char full[WK_PATH_MAX];
        int rc;

        join(full, path, key);
        rc = read_key(schema, inner, key, base, value, full, err);
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

int wk_schema_read(const struct wk_schema *schema, void *base, const json_t *object,
                   const char *path, struct bw_error *err)
{
    return read_level(schema, "", base, object, path, err);
}

static int parse_number(const struct wk_field *field, const char *text, const char *what,
                        int64_t *out, struct bw_error *err)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < field->min ||
        number > field->max)
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be a whole number from %" PRId64 " to %" PRId64,
                            what, field->min, field->max);
    *out = number;
    return BW_OK;
}

int wk_schema_read_text(const struct wk_field *field, void *base, const char *text,
                        const char *what, struct bw_error *err)
{
    void *at = (char *)base + field->offset;
    int64_t number = 0;
    int rc;

    if (field->kind == WK_TEXT || field->kind == WK_SECRET)
        return wk_set_text(at, text, err);
    BW_ASSERT(field->kind == WK_UINT || field->kind == WK_INT);
    rc = parse_number(field, text, what, &number, err);
    if (rc == BW_OK && field->kind == WK_UINT)
        *(unsigned *)at = (unsigned)number;
    else if (rc == BW_OK)
        *(int64_t *)at = number;
    return rc;
}

/* ---- help */

/* "[30000 ms; 1 to 3600000000]" */
static int help_number(const struct wk_field *field, struct bw_buf *out)
{
    double scale = field->kind == WK_SECONDS ? 1000.0 : 1.0;
    bool has_default = field->def >= field->min && field->def <= field->max;
    const char *unit = field->unit != NULL ? field->unit : "";
    const char *space = *unit != '\0' ? " " : "";
    int rc = BW_OK;

    if (has_default)
        rc = bw_buf_addf(out, " [%.15g%s%s;", (double)field->def / scale, space, unit);
    if (rc == BW_OK)
        rc = bw_buf_addf(out, "%s%s%.15g", has_default ? " " : " [",
                         field->max == INT64_MAX ? "from " : "",
                         (double)field->min / scale);
    if (rc == BW_OK && field->max < INT64_MAX)
        rc = bw_buf_addf(out, " to %.15g", (double)field->max / scale);
    if (rc == BW_OK && !has_default)
        rc = bw_buf_addf(out, "%s%s", space, unit);
    return rc == BW_OK ? bw_buf_add_char(out, ']') : rc;
}

#define DEFAULT_TEXT_MAX 64

static int help_text(const char *text, struct bw_buf *out)
{
    if (text == NULL || *text == '\0')
        return BW_OK;
    if (strlen(text) > DEFAULT_TEXT_MAX || strchr(text, '\n') != NULL)
        return bw_buf_add_str(out, " [a text]");
    return bw_buf_addf(out, " [%s]", text);
}

static int help_default(const struct wk_field *field, struct bw_buf *out)
{
    switch (field->kind) {
    case WK_TEXT:
        return help_text(field->def_text, out);
    case WK_BOOL:
        return bw_buf_addf(out, " [%s]", field->def != 0 ? "true" : "false");
    case WK_UINT:
    case WK_INT:
    case WK_SECONDS:
        return help_number(field, out);
    case WK_SECRET:
    case WK_CUSTOM:
        break;
    }
    return BW_OK;
}

static int help_line(const struct wk_field *field, const char *path, struct bw_buf *out)
{
    int rc = bw_buf_addf(out, "  %-32s %s", path, field->help);

    if (rc == BW_OK)
        rc = help_default(field, out);
    return rc == BW_OK ? bw_buf_add_str(out, field->when == WK_LIVE ? " *\n" : "\n") : rc;
}

int wk_schema_help(const struct wk_schema *schema, const char *prefix, struct bw_buf *out)
{
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < schema->count; i++) {
        const struct wk_field *field = &schema->fields[i];
        char path[WK_PATH_MAX];

        join(path, prefix, field->key);
        rc = help_line(field, path, out);
    }
    return rc;
}
