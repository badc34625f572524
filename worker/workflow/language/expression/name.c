/* What names and members of an expression stand for: variables and own members of their
 * values. */
#include "workflow/language/expression/name.h"

#include <stdio.h>
#include <string.h>

#include "workflow/language/number.h"
#include "workflow/language/path.h"

static bool is(struct wf_text text, const char *word)
{
    return wf_text_equal(text, wf_text_of(word));
}

static struct wf_expr_value from_found(const struct wf_found *found)
{
    return found->is_length ? wf_expr_number((double)found->length)
                            : wf_expr_from_json(found->value);
}

/* A variable by its exact name; names with a NUL or beyond all measure do not exist. */
static const json_t *variable(struct wf_expr *expr, struct wf_text name,
                              const char *scope_name)
{
    char key[WF_PATH_BYTES];

    if (expr->scope->root == NULL || name.len >= sizeof key ||
        (name.len > 0 && memchr(name.data, '\0', name.len) != NULL))
        return NULL;
    if (name.len > 0)
        memcpy(key, name.data, name.len);
    key[name.len] = '\0';
    return expr->scope->root(expr->scope->arg, key, scope_name);
}

bool wf_expr_is_scope(struct wf_text name)
{
    return is(name, "user") || is(name, "session") || is(name, "vars") ||
           is(name, "project") || is(name, "global");
}

/* A scope without variables is an empty object, not undefined. */
static int empty_object(struct wf_expr *expr, struct wf_expr_value *out)
{
    if (expr->empty == NULL)
        expr->empty = json_object();
    *out = wf_expr_from_json(expr->empty);
    return expr->empty != NULL ? BW_OK : BW_ENOMEM;
}

int wf_expr_name(struct wf_expr *expr, struct wf_text name, struct wf_expr_value *out)
{
    struct wf_found found;

    wf_path_find(expr->scope, name, &found);
    *out = from_found(&found);
    if (out->kind == WF_EXPR_UNDEFINED && wf_expr_is_scope(name))
        return empty_object(expr, out);
    return BW_OK;
}

/* `scope.member` as a path of two segments, so that flat customer names and project
 * variables are found as in templates. Members that are no single segment are left to the
 * object itself. */
static struct wf_expr_value by_path(struct wf_expr *expr, struct wf_text scope_name,
                                    struct wf_text member)
{
    char path[WF_PATH_BYTES];
    struct wf_found found;
    int len;

    for (size_t i = 0; i < member.len; i++)
        if (member.data[i] == '\0' || strchr(".[]", member.data[i]) != NULL)
            return wf_expr_undefined();
    len = snprintf(path, sizeof path, "%.*s.%.*s", (int)scope_name.len, scope_name.data,
                   (int)member.len, member.data);
    if (member.len > sizeof path || len < 0 || (size_t)len >= sizeof path)
        return wf_expr_undefined();
    wf_path_find(expr->scope, (struct wf_text){ path, (size_t)len }, &found);
    return from_found(&found);
}

int wf_expr_scope_member(struct wf_expr *expr, struct wf_text scope_name,
                         struct wf_text member, struct wf_expr_value *out)
{
    struct wf_expr_value object;
    int rc;

    *out = wf_expr_undefined();
    if (is(scope_name, "project") || is(scope_name, "global"))
        *out = wf_expr_from_json(
            variable(expr, member, is(scope_name, "global") ? "global" : "project"));
    if (out->kind == WF_EXPR_UNDEFINED && !is(scope_name, "global"))
        *out = by_path(expr, scope_name, member);
    if (out->kind != WF_EXPR_UNDEFINED)
        return BW_OK;
    rc = wf_expr_name(expr, scope_name, &object);
    return rc == BW_OK ? wf_expr_member(expr, &object, member, out) : rc;
}

/* ---- members ---- */

/* An array index as JavaScript writes one: no sign, no leading zero. */
static bool parse_index(struct wf_text text, size_t *index)
{
    *index = 0;
    if (text.len == 0 || text.len > 9 || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *index = *index * 10 + (size_t)(text.data[i] - '0');
    }
    return true;
}

/* One UTF-16 unit of a text. */
static int unit_at(struct wf_expr *expr, struct wf_text text, size_t index,
                   struct wf_expr_value *out)
{
    size_t units = 0;

    for (size_t at = 0; at < text.len;) {
        uint32_t code = wf_text_next(text, &at);
        size_t width = code >= 0x10000 ? 2 : 1;
        char *bytes;
        int rc;

        if (index >= units + width) {
            units += width;
            continue;
        }
        if (width == 2)
            code = index == units ? 0xd800 + ((code - 0x10000) >> 10)
                                  : 0xdc00 + ((code - 0x10000) & 0x3ff);
        rc = wf_expr_alloc(expr, 4, &bytes);
        if (rc == BW_OK)
            *out = wf_expr_text((struct wf_text){ bytes, wf_text_encode(code, bytes) });
        return rc;
    }
    return BW_OK;
}

static int text_member(struct wf_expr *expr, struct wf_text text, struct wf_text member,
                       struct wf_expr_value *out)
{
    size_t index;

    if (is(member, "length"))
        *out = wf_expr_number((double)wf_text_units(text));
    else if (parse_index(member, &index))
        return unit_at(expr, text, index, out);
    return BW_OK;
}

static void array_member(const struct wf_expr_value *array, struct wf_text member,
                         struct wf_expr_value *out)
{
    size_t index;

    if (is(member, "length"))
        *out = wf_expr_number((double)wf_expr_array_size(array));
    else if (parse_index(member, &index))
        *out = wf_expr_array_get(array, index);
}

int wf_expr_member(struct wf_expr *expr, const struct wf_expr_value *object,
                   struct wf_text member, struct wf_expr_value *out)
{
    *out = wf_expr_undefined();
    if (wf_expr_is_nullish(object))
        return wf_expr_fail(expr, "Cannot read properties of %s (reading '%.*s')",
                            object->kind == WF_EXPR_NULL ? "null" : "undefined",
                            (int)(member.len < 100 ? member.len : 100), member.data);
    if (object->kind == WF_EXPR_STRING)
        return text_member(expr, object->text, member, out);
    if (wf_expr_is_array(object))
        array_member(object, member, out);
    else if (object->kind == WF_EXPR_JSON &&
             !wf_path_denied_member(expr->scope, object->json, member))
        *out = wf_expr_from_json(json_object_getn(object->json, member.data, member.len));
    return BW_OK;
}

/* ---- get() ---- */

static int scope_of(struct wf_expr *expr, struct wf_text name, const char **out)
{
    static const char *const names[] = { "session", "user", "project", "global" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!is(name, names[i]))
            continue;
        *out = names[i];
        return BW_OK;
    }
    return wf_expr_fail(expr, "Unknown variable scope: %.*s",
                        (int)(name.len < 100 ? name.len : 100), name.data);
}

int wf_expr_get(struct wf_expr *expr, struct wf_text key, struct wf_text scope_name,
                struct wf_expr_value *out)
{
    const char *scope = "session";
    struct wf_found found = { .value = NULL };
    struct wf_path path;
    int rc = scope_name.len > 0 ? scope_of(expr, scope_name, &scope) : BW_OK;

    if (rc != BW_OK)
        return rc;
    *out = wf_expr_from_json(variable(expr, key, scope));
    if (out->kind != WF_EXPR_UNDEFINED)
        return BW_OK;
    if (wf_path_parse(&path, key) && path.count > 1)
        wf_path_step(variable(expr, path.segments[0], scope), &path, 1, &found);
    if (found.value == NULL && !found.is_length && scope_name.len == 0)
        wf_path_find(expr->scope, key, &found);
    *out = from_found(&found);
    return BW_OK;
}
