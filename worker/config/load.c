#include "config/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/schema.h"
#include "config/config_schema.h"
#include "config/redis_settings.h"
#include "config/settle.h"
#include "workflow/engine/settings.h"

#define FILE_MAX (8u * 1024 * 1024)

/* ---- the file */

static int read_whole(const char *path, struct bw_buf *out, struct bw_error *err)
{
    FILE *file = fopen(path, "re");
    char chunk[4096];
    size_t got;
    int rc = BW_OK;

    if (file == NULL)
        return bw_error_errno(err, errno, "%.200s", path);
    while (rc == BW_OK && (got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        if (out->len + got > FILE_MAX)
            rc = bw_error_set(err, BW_EINVAL, "%.200s: larger than %u bytes", path,
                              FILE_MAX);
        else if (bw_buf_add(out, chunk, got) != BW_OK)
            rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    }
    if (rc == BW_OK && ferror(file))
        rc = bw_error_errno(err, errno, "%.200s", path);
    (void)fclose(file); /* it was only read */
    return rc;
}

/* jansson ends its texts with the token it stumbled over ("near '…'"), which may be a
 * part of a password: that is cut off. */
static int syntax_error(const char *path, const json_error_t *at, struct bw_error *err)
{
    const char *near = strstr(at->text, " near ");
    int len = near != NULL ? (int)(near - at->text) : (int)strlen(at->text);

    if (json_error_code(at) == json_error_duplicate_key)
        len = (int)strlen(at->text);
    return bw_error_set(err, BW_EINVAL, "%.200s: line %d, column %d, byte %d: %.*s", path,
                        at->line, at->column, at->position, len, at->text);
}

static int read_file(struct wk_config *config, const char *path, struct bw_error *err)
{
    struct bw_buf text = BW_BUF_INIT;
    json_error_t at;
    int rc;

    rc = read_whole(path, &text, err);
    if (rc == BW_OK) {
        config->source =
            json_loadb(bw_buf_text(&text), text.len, JSON_REJECT_DUPLICATES, &at);
        if (config->source == NULL)
            rc = syntax_error(path, &at, err);
        else
            rc = wk_schema_read(&wk_config_schema, config, config->source, "", err);
    }
    bw_buf_fini(&text);
    return rc;
}

static const char *config_path(const struct wk_config_sources *sources)
{
    const char *path = wk_lookup_value(&sources->flags, "config");

    return path != NULL ? path : wk_lookup_value(&sources->env, "BULWARK_CONFIG");
}

int wk_config_load(struct wk_config *config, const struct wk_config_sources *sources,
                   struct bw_error *err)
{
    const char *path = config_path(sources);
    int rc;

    *config = (struct wk_config){ .log = { BW_LOG_INFO, WK_LOG_AUTO } };
    rc = wk_schema_defaults(&wk_config_schema, config, err);
    if (rc == BW_OK && path != NULL)
        rc = read_file(config, path, err);
    if (rc == BW_OK)
        rc = wk_override_apply(config, sources, err);
    if (rc == BW_OK && path == NULL && config->database.url == NULL &&
        config->quick.exec == NULL && !sources->redis_only)
        rc = bw_error_set(err, BW_EINVAL,
                          "nothing to run: give --config FILE, or set REDIS_URL and "
                          "DATABASE_URL");
    if (rc == BW_OK && !sources->redis_only)
        rc = wk_config_settle(config, err);
    if (rc == BW_OK)
        rc = wk_redis_settle(config, err);
    if (rc != BW_OK)
        wk_config_fini(config);
    return rc;
}

/* ---- what of a changed file counts only at a start */

static int add_key(struct bw_buf *out, const char *key, size_t len)
{
    int rc = out->len > 0 ? bw_buf_add_str(out, ", ") : BW_OK;

    return rc == BW_OK ? bw_buf_add(out, key, len) : rc;
}

/* The row is the first of a top-level key, which is its first `len` bytes. */
static bool is_first_of_key(size_t index, size_t len)
{
    const struct wk_field *fields = wk_config_schema.fields;

    return index == 0 || strncmp(fields[index - 1].key, fields[index].key, len) != 0 ||
           strchr(".", fields[index - 1].key[len]) == NULL;
}

int wk_config_restart_keys(const struct wk_config *a, const struct wk_config *b,
                           struct bw_buf *out)
{
    for (size_t i = 0; i < wk_config_schema.count; i++) {
        const struct wk_field *field = &wk_config_schema.fields[i];
        size_t len = strcspn(field->key, ".");
        json_t *left = json_object_getn(a->source, field->key, len);
        json_t *right = json_object_getn(b->source, field->key, len);
        bool same =
            left == right || (left != NULL && right != NULL && json_equal(left, right));
        int rc;

        if (same || field->when == WK_LIVE || !is_first_of_key(i, len))
            continue;
        rc = add_key(out, field->key, len);
        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

static int help_handlers(struct bw_buf *out)
{
    const struct wk_handler_type *type;
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && (type = wk_handler_at(i)) != NULL; i++) {
        if (type->settings == NULL)
            continue;
        rc = bw_buf_addf(out, "\nThe object \"handler\" of a queue, where it is %s:\n",
                         type->name);
        if (rc == BW_OK)
            rc = wk_schema_help(type->settings, "handler", out);
    }
    return rc;
}

int wk_config_help(struct bw_buf *out)
{
    int rc = wk_schema_help(&wk_config_schema, "", out);

    if (rc == BW_OK)
        rc = wk_schema_help(&wk_queue_schema, "queues[]", out);
    if (rc == BW_OK)
        rc = help_handlers(out);
    if (rc == BW_OK)
        rc = bw_buf_add_str(out,
                            "\nThe object \"workflow\"; dots are part of its keys:\n");
    return rc == BW_OK ? wk_schema_help(&wf_settings_schema, "", out) : rc;
}
