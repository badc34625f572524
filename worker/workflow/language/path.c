#include "workflow/language/path.h"

#include <string.h>

#include "workflow/language/value.h"

static bool is(struct wf_text text, const char *word)
{
    return wf_text_equal(text, wf_text_of(word));
}

/* Decimal digits only; `*number` saturates far above any array's size. */
static bool parse_index(struct wf_text text, size_t *number)
{
    size_t value = 0;

    if (text.len == 0 || text.len > 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (size_t)(text.data[i] - '0');
    }
    *number = value;
    return true;
}

static bool add_segment(struct wf_path *path, const char *data, size_t len, bool index)
{
    struct wf_text segment = wf_text_trim((struct wf_text){ data, len });
    size_t number;

    if (path->count == WF_PATH_SEGMENTS || segment.len == 0)
        return false;
    if (index && !parse_index(segment, &number))
        return false;
    if (memchr(segment.data, '\0', segment.len) != NULL)
        return false;
    path->segments[path->count] = segment;
    path->index[path->count++] = index;
    return true;
}

static size_t find_any(struct wf_text text, size_t at, const char *stops)
{
    while (at < text.len &&
           (text.data[at] == '\0' || strchr(stops, text.data[at]) == NULL))
        at++;
    return at;
}

/* After a segment: nothing, or a point, or a bracket. */
static bool parse_name(struct wf_path *path, struct wf_text text, size_t *at)
{
    size_t end = find_any(text, *at, ".[");

    if (!add_segment(path, text.data + *at, end - *at, false))
        return false;
    *at = end;
    return true;
}

static bool parse_bracket(struct wf_path *path, struct wf_text text, size_t *at)
{
    size_t end = find_any(text, *at + 1, "]");

    if (end == text.len || !add_segment(path, text.data + *at + 1, end - *at - 1, true))
        return false;
    *at = end + 1;
    while (*at < text.len && (text.data[*at] == ' ' || text.data[*at] == '\t'))
        (*at)++;
    return *at == text.len || text.data[*at] == '.' || text.data[*at] == '[';
}

static bool parse_rest(struct wf_path *path, struct wf_text text, size_t at)
{
    while (at < text.len) {
        if (text.data[at] == '[') {
            if (!parse_bracket(path, text, &at))
                return false;
            continue;
        }
        at++; /* the point */
        if (!parse_name(path, text, &at))
            return false;
    }
    return true;
}

static bool fits(struct wf_text text)
{
    return text.len <= WF_PATH_CHARS ||
           (text.len < WF_PATH_BYTES && wf_text_units(text) <= WF_PATH_CHARS);
}

bool wf_path_parse(struct wf_path *path, struct wf_text text)
{
    size_t at = 0;

    path->count = 0;
    return fits(text) && parse_name(path, text, &at) && parse_rest(path, text, at);
}

static const json_t *member(const json_t *object, struct wf_text name)
{
    return json_object_getn(object, name.data,
                            name.len); /* NULL for anything but an object */
}

static bool set_length(const json_t *value, struct wf_found *found)
{
    if (json_is_array(value))
        found->length = json_array_size(value);
    else if (json_is_string(value))
        found->length = wf_text_units(wf_value_string(value));
    else
        return false;
    found->is_length = true;
    return true;
}

void wf_path_step(const json_t *root, const struct wf_path *path, size_t from,
                  struct wf_found *found)
{
    const json_t *value = root;
    size_t index;

    found->is_length = false;
    found->value = NULL;
    for (size_t i = from; value != NULL && i < path->count; i++) {
        struct wf_text name = path->segments[i];

        if (i + 1 == path->count && is(name, "length") && set_length(value, found))
            return;
        if (json_is_array(value))
            value = parse_index(name, &index) ? json_array_get(value, index) : NULL;
        else
            value = member(value, name);
    }
    found->value = value;
}

static const json_t *root_value(const struct wf_scope *scope, struct wf_text name,
                                const char *variables)
{
    char key[WF_PATH_BYTES];

    if (scope->root == NULL || name.len >= sizeof key)
        return NULL;
    memcpy(key, name.data, name.len);
    key[name.len] = '\0';
    return scope->root(scope->arg, key, variables);
}

/* The whole path as one flat name: `user.stats[0]` asks for "user.stats.0". */
static const json_t *flat_value(const struct wf_scope *scope, const struct wf_path *path)
{
    char name[WF_PATH_BYTES];
    size_t len = 0;
    bool trusted = false;

    if (scope->flat == NULL)
        return NULL;
    for (size_t i = 0; i < path->count; i++) {
        struct wf_text segment = path->segments[i];

        if (len + segment.len + 2 > sizeof name)
            return NULL;
        if (i > 0)
            name[len++] = '.';
        memcpy(name + len, segment.data, segment.len);
        len += segment.len;
    }
    name[len] = '\0';
    /* the value is the scope's, not a part of the name */
    // cppcheck-suppress returnDanglingLifetime
    return scope->flat(scope->arg, name, &trusted);
}

static bool denied_in_project(const struct wf_scope *scope, struct wf_text name)
{
    return !scope->expose_secrets &&
           (is(name, "botToken") || is(name, "maxBotToken") || is(name, "webhookSecret"));
}

static bool denied(const struct wf_scope *scope, const struct wf_path *path)
{
    const struct wf_text *part = path->segments;

    if (path->count < 2)
        return false;
    if (is(part[0], "project"))
        return denied_in_project(scope, part[1]);
    if (is(part[0], "telegram"))
        return is(part[1], "botToken");
    if (!is(part[0], "context"))
        return false;
    return is(part[1], "services") ||
           (path->count > 2 && is(part[1], "telegram") && is(part[2], "botToken"));
}

bool wf_path_denied_member(const struct wf_scope *scope, const json_t *object,
                           struct wf_text name)
{
    const json_t *context;

    if (object == NULL || scope->root == NULL)
        return false;
    if (is(name, "services"))
        return object == scope->root(scope->arg, "context", NULL);
    if (!is(name, "botToken") && !is(name, "maxBotToken") && !is(name, "webhookSecret"))
        return false;
    if (object == scope->root(scope->arg, "project", NULL))
        return denied_in_project(scope, name);
    if (!is(name, "botToken"))
        return false;
    context = scope->root(scope->arg, "context", NULL);
    return object == scope->root(scope->arg, "telegram", NULL) ||
           object == json_object_get(context, "telegram");
}

/* Customer variables are known by their flat names first, project variables last. */
static void find_named(const struct wf_scope *scope, const struct wf_path *path,
                       struct wf_found *found, bool flat_first)
{
    if (flat_first) {
        found->value = flat_value(scope, path);
        if (found->value != NULL)
            return;
    }
    wf_path_step(root_value(scope, path->segments[0], NULL), path, 1, found);
    if (!flat_first && found->value == NULL && !found->is_length)
        found->value = flat_value(scope, path);
}

/* `message` and `callback` are short for telegram's unless a variable has the name. */
static const json_t *other_root(const struct wf_scope *scope, struct wf_text name)
{
    const json_t *value = root_value(scope, name, NULL);

    if (value == NULL && (is(name, "message") || is(name, "callback")))
        value = member(
            scope->root == NULL ? NULL : scope->root(scope->arg, "telegram", NULL), name);
    return value;
}

static void find_parsed(const struct wf_scope *scope, const struct wf_path *path,
                        struct wf_found *found)
{
    struct wf_text name = path->segments[0];
    bool alone = path->count == 1;

    if (!alone && (is(name, "session") || is(name, "vars"))) {
        wf_path_step(root_value(scope, path->segments[1], "session"), path, 2, found);
    } else if (!alone && (is(name, "user") || is(name, "transactions"))) {
        find_named(scope, path, found, true);
    } else if (!alone && is(name, "project")) {
        found->trusted = true;
        find_named(scope, path, found, false);
    } else {
        wf_path_step(other_root(scope, name), path, 1, found);
        if (alone && is(name, "now") && json_is_object(found->value))
            found->value = json_object_get(found->value, "iso");
    }
}

void wf_path_find(const struct wf_scope *scope, struct wf_text text,
                  struct wf_found *found)
{
    struct wf_path path;

    *found = (struct wf_found){ .value = NULL };
    if (wf_path_parse(&path, text) && !denied(scope, &path))
        find_parsed(scope, &path, found);
}

int wf_found_value(const struct wf_found *found, json_t **out)
{
    *out = NULL;
    if (found->is_length)
        *out = json_integer((json_int_t)found->length);
    else if (found->value != NULL)
        *out = json_incref((json_t *)found->value);
    return *out == NULL && found->is_length ? BW_ENOMEM : BW_OK;
}

const json_t *wf_path_resolve(const struct wf_scope *scope, const char *path, size_t len)
{
    struct wf_found found;

    wf_path_find(scope, (struct wf_text){ path, len }, &found);
    return found.value;
}

int wf_path_value(const struct wf_scope *scope, const char *path, size_t len,
                  json_t **out)
{
    struct wf_found found;

    wf_path_find(scope, (struct wf_text){ path, len }, &found);
    return wf_found_value(&found, out);
}

const json_t *wf_path_walk(const json_t *root, const char *rest, size_t len)
{
    struct wf_text text = { rest, len };
    struct wf_path path = { .count = 0 };
    struct wf_found found;

    if (text.len > 0 && text.data[0] != '.' && text.data[0] != '[') {
        if (!wf_path_parse(&path, text))
            return NULL;
    } else if (!fits(text) || !parse_rest(&path, text, 0)) {
        return NULL;
    }
    wf_path_step(root, &path, 0, &found);
    return found.value;
}
