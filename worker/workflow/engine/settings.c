#include "workflow/engine/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/schema.h"
#include "workflow/base/mem.h"
#include "workflow/engine/held.h"

static const struct wk_field rows[] = {
#define X(field, key_, value, least, greatest, unit_, help_)                             \
    { .key = (key_),                                                                     \
      .kind = WK_INT,                                                                    \
      .offset = offsetof(struct wf_settings, field),                                     \
      .def = (value),                                                                    \
      .min = (least),                                                                    \
      .max = (greatest),                                                                 \
      .unit = (unit_),                                                                   \
      .help = (help_) },
    WF_NUMBER_SETTINGS(X)
#undef X
#define X(field, key_, value, help_)                                                     \
    { .key = (key_),                                                                     \
      .kind = WK_BOOL,                                                                   \
      .offset = offsetof(struct wf_settings, field),                                     \
      .def = (value),                                                                    \
      .help = (help_) },
        WF_SWITCH_SETTINGS(X)
#undef X
#define X(field, key_, value, help_)                                                     \
    { .key = (key_),                                                                     \
      .kind = WK_TEXT,                                                                   \
      .offset = offsetof(struct wf_settings, field),                                     \
      .def_text = (value),                                                               \
      .help = (help_) },
            WF_TEXT_SETTINGS(X)
#undef X
};

#define ROWS (sizeof rows / sizeof rows[0])

const struct wk_schema wf_settings_schema = { rows, ROWS };

static void fill_defaults(struct wf_settings *settings)
{
    struct bw_error err;

    *settings = (struct wf_settings){ 0 };
    wf_check(wk_schema_defaults(&wf_settings_schema, settings, &err));
}

/* How many leading characters two names share: enough to guess what was meant. */
static size_t likeness(const char *a, const char *b)
{
    size_t front = 0, back = 0, a_len = strlen(a), b_len = strlen(b);

    while (a[front] != '\0' && a[front] == b[front])
        front++;
    while (back < a_len - front && back < b_len - front &&
           a[a_len - 1 - back] == b[b_len - 1 - back])
        back++;
    return front + back;
}

static int unknown(const char *key, struct bw_error *err)
{
    const char *nearest = rows[0].key;

    for (size_t i = 1; i < ROWS; i++) {
        if (likeness(rows[i].key, key) > likeness(nearest, key))
            nearest = rows[i].key;
    }
    return bw_error_set(err, BW_EINVAL,
                        ".workflow: \"%s\" is not known; did you mean \"%s\"?", key,
                        nearest);
}

static int set_row(struct wf_settings *settings, const struct wk_field *row,
                   const json_t *value, struct bw_error *err)
{
    char *field = (char *)settings + row->offset;

    switch (row->kind) {
    case WK_INT:
        if (!json_is_integer(value) || json_integer_value(value) < row->min ||
            json_integer_value(value) > row->max)
            return bw_error_set(
                err, BW_EINVAL,
                ".workflow.\"%s\": a whole number from %lld to %lld expected", row->key,
                (long long)row->min, (long long)row->max);
        *(int64_t *)(void *)field = json_integer_value(value);
        return BW_OK;
    case WK_BOOL:
        if (!json_is_boolean(value))
            return bw_error_set(err, BW_EINVAL,
                                ".workflow.\"%s\": true or false expected", row->key);
        *(bool *)(void *)field = json_is_true(value);
        return BW_OK;
    case WK_TEXT:
        if (!json_is_string(value))
            return bw_error_set(err, BW_EINVAL, ".workflow.\"%s\": a text expected",
                                row->key);
        wf_set((char **)(void *)field, json_string_value(value));
        return BW_OK;
    default: /* there are no others */
        return BW_EINVAL;
    }
}

bool wf_settings_is_policy(const char *name)
{
    return strcmp(name, "resend") == 0 || strcmp(name, "drop") == 0 ||
           strcmp(name, "mark") == 0;
}

/* What becomes of a personal message in a group. */
static bool is_personal_policy(const char *name)
{
    return strcmp(name, "private") == 0 || strcmp(name, "chat") == 0 ||
           strcmp(name, "drop") == 0;
}

int wf_settings_parse(struct wf_settings *settings, const json_t *config,
                      struct bw_error *err)
{
    const char *key;
    json_t *value;

    fill_defaults(settings);
    json_object_foreach((json_t *)(uintptr_t)config, key, value)
    {
        const struct wk_field *row = wk_schema_find(&wf_settings_schema, key);
        int rc = row != NULL ? set_row(settings, row, value, err) : unknown(key, err);
        if (rc != BW_OK) {
            wf_settings_fini(settings);
            return rc;
        }
    }
    if (!wf_settings_is_policy(settings->unknown_sends)) {
        wf_settings_fini(settings);
        return bw_error_set(err, BW_EINVAL,
                            ".workflow.\"telegram.unknown_sends\": resend, drop or mark "
                            "expected");
    }
    if (!is_personal_policy(settings->group_personal)) {
        wf_settings_fini(settings);
        return bw_error_set(err, BW_EINVAL,
                            ".workflow.\"group.personal\": private, chat or drop "
                            "expected");
    }
    return BW_OK;
}

void wf_settings_fini(struct wf_settings *settings)
{
#define X(field, key, value, help)                                                       \
    free(settings->field);                                                               \
    settings->field = NULL;
    WF_TEXT_SETTINGS(X)
#undef X
}

/* The value of the member named at `at` ("{name}…"), its length with braces in `*len`. */
static const char *fill_of(const char *at, const char *const *fills, size_t *len)
{
    for (; fills[0] != NULL; fills += 2) {
        size_t name = strlen(fills[0]);

        if (strncmp(at + 1, fills[0], name) == 0 && at[name + 1] == '}') {
            *len = name + 2;
            return fills[1];
        }
    }
    return NULL;
}

char *wf_settings_key(const char *pattern, const char *const *fills)
{
    struct bw_buf out = BW_BUF_INIT;

    while (*pattern != '\0') {
        size_t len = 1;
        const char *value = *pattern == '{' ? fill_of(pattern, fills, &len) : NULL;

        if (value != NULL)
            wf_check(bw_buf_add_str(&out, value));
        else
            wf_check(bw_buf_add_char(&out, *pattern));
        pattern += len;
    }
    return bw_buf_take(&out);
}
