#include "config/config_schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "config/rows.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define QUEUES_MAX   100000

/* ---- retention (lib/spec/bullmq.md §5.5): true, false, a count, or {count, age, limit}
 */

#define KEEP(member, key_, help_)                                                        \
    { .key = (key_),                                                                     \
      .kind = WK_INT,                                                                    \
      .offset = offsetof(struct bw_keep, member),                                        \
      .def = -1,                                                                         \
      .min = -1,                                                                         \
      .max = INT64_MAX,                                                                  \
      .help = (help_) },
static const struct wk_field keep_fields[] = {
    KEEP(count, "count", "finished jobs kept; -1: no limit")
        KEEP(age, "age", "seconds they are kept; -1: no limit")
            KEEP(limit, "limit", "jobs removed at once")
};
#undef KEEP
static const struct wk_schema keep_schema = { keep_fields, COUNT(keep_fields) };

static int read_keep(void *at, const json_t *value, const char *path,
                     struct bw_error *err)
{
    struct bw_keep *keep = at;
    int rc;

    *keep = (struct bw_keep){ .set = true, .count = -1, .age = -1, .limit = -1 };
    if (json_is_boolean(value)) {
        keep->set = json_is_true(value);
        keep->count = keep->set ? 0 : -1;
        return BW_OK;
    }
    if (json_is_object(value))
        rc = wk_schema_read(&keep_schema, keep, value, path, err);
    else if (json_is_number(value))
        rc = wk_read_number(value, -1, INT64_MAX, path, &keep->count, err);
    else
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be true, false, a count or an object", path);
    keep->set = keep->count >= 0 || keep->age >= 0;
    return rc;
}

/* ---- handlers: NAME or {NAME: …} */

static const char *handler_name_at(const void *arg, size_t index)
{
    const struct wk_handler_type *type = wk_handler_at(index);

    (void)arg;
    return type != NULL ? type->name : NULL;
}

static int unknown_handler(const char *name, const char *path, struct bw_error *err)
{
    const char *near = wk_nearest(name, handler_name_at, NULL);

    if (near == NULL)
        return bw_error_set(err, BW_EINVAL, "%s: unknown handler \"%.64s\"", path, name);
    return bw_error_set(err, BW_EINVAL,
                        "%s: unknown handler \"%.64s\", did you mean \"%s\"?", path, name,
                        near);
}

/* The kind that a handler object names: the first of its keys that is one. */
static const struct wk_handler_type *handler_of_object(const json_t *value)
{
    const char *key;
    json_t *ignored;

    json_object_foreach((json_t *)value, key, ignored)
    {
        const struct wk_handler_type *type = wk_handler_find(key);

        if (type != NULL)
            return type;
    }
    return NULL;
}

/* A kind that is refused says so when the whole is checked, whatever its settings. */
static int check_handler(const struct wk_handler_type *type, const json_t *settings,
                         const char *path, struct bw_error *err)
{
    struct bw_error inner = { 0 };
    int rc = type->check != NULL ? type->check(settings, &inner) : BW_OK;

    return rc == BW_OK ? BW_OK : bw_error_set(err, rc, "%s%s", path, inner.text);
}

static int read_handler(void *at, const json_t *value, const char *path,
                        struct bw_error *err)
{
    struct wk_handler_config *handler = at;
    const struct wk_handler_type *type;
    int rc;

    if (json_is_string(value)) {
        type = wk_handler_find(json_string_value(value));
        if (type == NULL)
            return unknown_handler(json_string_value(value), path, err);
    } else if (json_is_object(value) && json_object_size(value) > 0) {
        type = handler_of_object(value);
        if (type == NULL)
            return unknown_handler(
                json_object_iter_key(json_object_iter((json_t *)value)), path, err);
    } else {
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be a handler's name or {name: settings}", path);
    }
    rc = check_handler(type, json_is_object(value) ? value : NULL, path, err);
    if (rc != BW_OK)
        return rc;
    if (json_is_object(value)) {
        json_decref(handler->settings);
        handler->settings = json_incref((json_t *)value);
    }
    handler->type = type;
    return BW_OK;
}

/* ---- groups: a path into the job's data, or a list of them */

/* Keys joined by dots, paths joined by '+': nothing between two of these is empty, and
 * nothing separates paths as the library does. */
static bool is_path(const char *text)
{
    bool starts = true;

    for (; text != NULL && *text != '\0'; text++) {
        bool joins = *text == '.' || *text == '+';

        if ((joins && starts) || strchr("| \t\r\n", *text) != NULL)
            return false;
        starts = joins;
    }
    return !starts;
}

static int read_group_key(void *at, const json_t *value, const char *path,
                          struct bw_error *err)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    struct bw_buf paths = BW_BUF_INIT;
    int rc = count > 0 ? BW_OK : BW_EINVAL;

    for (size_t i = 0; i < count && rc == BW_OK; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;

        rc = is_path(json_string_value(one))
                 ? bw_buf_addf(&paths, "%s%s", i > 0 ? "|" : "", json_string_value(one))
                 : BW_EINVAL;
    }
    if (rc == BW_OK)
        rc = wk_set_text(at, bw_buf_text(&paths), err);
    else if (rc == BW_EINVAL)
        (void)bw_error_set(
            err, rc, "%s: must be a path like \"context.chat.id\", or a list", path);
    else
        (void)bw_error_set(err, rc, "out of memory");
    bw_buf_fini(&paths);
    return rc;
}

/* ---- the rows, as fields: the queue's here, as the queues are read by them */

#define T(kind_, member, key_, def_, when_, help_)                                       \
    { .key = (key_),                                                                     \
      .kind = (kind_),                                                                   \
      .offset = offsetof(OWNER, member),                                                 \
      .def_text = (def_),                                                                \
      .when = (when_),                                                                   \
      .help = (help_) },
#define N(kind_, member, key_, def_, min_, max_, unit_, when_, help_)                    \
    { .key = (key_),                                                                     \
      .kind = (kind_),                                                                   \
      .offset = offsetof(OWNER, member),                                                 \
      .def = (def_),                                                                     \
      .min = (min_),                                                                     \
      .max = (max_),                                                                     \
      .unit = (unit_),                                                                   \
      .when = (when_),                                                                   \
      .help = (help_) },
#define C(member, key_, read_, when_, help_)                                             \
    { .key = (key_),                                                                     \
      .kind = WK_CUSTOM,                                                                 \
      .offset = offsetof(OWNER, member),                                                 \
      .read = (read_),                                                                   \
      .when = (when_),                                                                   \
      .help = (help_) },

/* The library's rows. */
#define KIND_COUNT   WK_UINT
#define KIND_NUMBER  WK_INT
#define KIND_MS      WK_INT
#define KIND_SECONDS WK_SECONDS
#define KIND_SWITCH  WK_BOOL
#define UNIT_COUNT   NULL
#define UNIT_NUMBER  NULL
#define UNIT_MS      "ms"
#define UNIT_SECONDS "seconds"
#define UNIT_SWITCH  NULL
#define OPTION(type, member, key_, def_, min_, max_, help_)                              \
    N(KIND_##type, options.member, key_, def_, min_, max_, UNIT_##type, WK_AT_START,     \
      help_)

#define OWNER struct wk_queue_config
static const struct wk_field queue_fields[] = { WK_QUEUE_ROWS(T, N, C) BW_QUEUE_OPTIONS(
    OPTION) BW_QUEUE_OPEN_OPTIONS(OPTION) };
#undef OWNER
const struct wk_schema wk_queue_schema = { queue_fields, COUNT(queue_fields) };

static int read_queue(struct wk_queue_config *queue, const json_t *value,
                      const char *path, struct bw_error *err)
{
    int rc;

    bw_queue_options_init(&queue->options);
    rc = wk_schema_defaults(&wk_queue_schema, queue, err);
    if (rc != BW_OK)
        return rc;
    return wk_schema_read(&wk_queue_schema, queue, value, path, err);
}

static int read_queues(void *at, const json_t *value, const char *path,
                       struct bw_error *err)
{
    struct wk_queue_list *list = at;
    size_t count = json_array_size(value);

    if (!json_is_array(value) || count == 0 || count > QUEUES_MAX)
        return bw_error_set(err, BW_EINVAL, "%s: must be an array of 1 to %d queues",
                            path, QUEUES_MAX);
    list->items = calloc(count, sizeof *list->items);
    if (list->items == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        char element[WK_PATH_MAX];
        int rc;

        list->count = i + 1; /* counted before it is whole, so that it is freed */
        (void)snprintf(element, sizeof element, "%.100s[%zu]", path, i);
        rc = read_queue(&list->items[i], json_array_get(value, i), element, err);
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

/* ---- the rest of the file */

static int read_log_level(void *at, const json_t *value, const char *path,
                          struct bw_error *err)
{
    if (!json_is_string(value) ||
        wk_log_level_parse(json_string_value(value), at) != BW_OK)
        return bw_error_set(err, BW_EINVAL,
                            "%s: must be \"debug\", \"info\", \"warning\" or \"error\"",
                            path);
    return BW_OK;
}

static int read_log_format(void *at, const json_t *value, const char *path,
                           struct bw_error *err)
{
    if (!json_is_string(value) ||
        wk_log_format_parse(json_string_value(value), at) != BW_OK)
        return bw_error_set(err, BW_EINVAL, "%s: must be \"json\", \"text\" or \"auto\"",
                            path);
    return BW_OK;
}

static int read_workflow(void *at, const json_t *value, const char *path,
                         struct bw_error *err)
{
    if (!json_is_object(value))
        return bw_error_set(err, BW_EINVAL, "%s: must be an object", path);
    *(json_t **)at = json_incref((json_t *)value);
    return BW_OK;
}

static int read_hosts(void *at, const json_t *value, const char *path,
                      struct bw_error *err)
{
    size_t i;
    const json_t *host;

    if (!json_is_array(value) || json_array_size(value) == 0)
        return bw_error_set(err, BW_EINVAL, "%s: must be a list of host names", path);
    json_array_foreach((json_t *)value, i, host)
    {
        if (!json_is_string(host) || json_string_length(host) == 0)
            return bw_error_set(err, BW_EINVAL, "%s[%zu]: must be a host name", path, i);
    }
    *(json_t **)at = json_incref((json_t *)value);
    return BW_OK;
}

#define OWNER struct wk_config
static const struct wk_field config_fields[] = { WK_CONFIG_ROWS(T, N, C) };
const struct wk_schema wk_config_schema = { config_fields, COUNT(config_fields) };
