/* Tables that describe configuration objects: one row a key, and from the rows come
 * reading, checks, defaults, help and the guess at what a misspelt key meant.
 *
 * A row says where in a plain struct its value lives. A key with dots lies in an object:
 * "limiter.max" is {"limiter": {"max": …}}. Texts in such a struct are its owner's to
 * free. */
#ifndef WORKER_SCHEMA_H
#define WORKER_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/api.h>
#include <bulwark/buf.h>
#include <bulwark/error.h>

enum wk_kind {
    WK_TEXT,    /* char *; not empty */
    WK_SECRET,  /* char *, never shown */
    WK_BOOL,    /* bool */
    WK_UINT,    /* unsigned */
    WK_INT,     /* int64_t */
    WK_SECONDS, /* int64_t in ms; the file has seconds, fractions allowed */
    WK_CUSTOM   /* read by `read` */
};

/* When a value that has changed in the file counts. */
enum wk_when { WK_AT_START, WK_LIVE };

struct wk_field {
    const char *key;
    enum wk_kind kind;
    enum wk_when when;
    size_t offset;
    /* Numbers, WK_BOOL (def); WK_SECONDS: in ms. A default outside of the range stands
     * for what `help` says. */
    int64_t def, min, max;
    /* Of a number, for help texts; NULL: none. */
    const char *unit;
    /* WK_TEXT; NULL: none. */
    const char *def_text;
    /* WK_CUSTOM: `at` points to the field. `path` is for errors. */
    int (*read)(void *at, const json_t *value, const char *path, struct bw_error *err);
    /* Without unit, default and range. */
    const char *help;
};

struct wk_schema {
    const struct wk_field *fields;
    size_t count;
};

/* NULL: no such key. */
const struct wk_field *wk_schema_find(const struct wk_schema *schema, const char *key);

/* Sets every default except those of WK_CUSTOM fields. `base` is zeroed first time
 * memory. */
BW_MUSTCHECK int wk_schema_defaults(const struct wk_schema *schema, void *base,
                                    struct bw_error *err);

/* Reads a JSON object over what is there. Errors: BW_EINVAL beginning with the path of
 * the key ("queues[2].concurrency: …"), BW_ENOMEM. `path` is "" for the whole file. */
BW_MUSTCHECK int wk_schema_read(const struct wk_schema *schema, void *base,
                                const json_t *object, const char *path,
                                struct bw_error *err);

/* Reads one value that was given as a text, by an option or a variable: numbers and
 * texts. `what` is for errors, which do not show the value. */
BW_MUSTCHECK int wk_schema_read_text(const struct wk_field *field, void *base,
                                     const char *text, const char *what,
                                     struct bw_error *err);

/* One line a key, indented, with unit, default, range, and a star where it is live. */
BW_MUSTCHECK int wk_schema_help(const struct wk_schema *schema, const char *prefix,
                                struct bw_buf *out);

/* --- parts, also for other tables of names */

#define WK_PATH_MAX 160

/* A whole number within a range, also written as 3e4. */
BW_MUSTCHECK int wk_read_number(const json_t *value, int64_t min, int64_t max,
                                const char *path, int64_t *out, struct bw_error *err);

/* Replaces an owned text. */
BW_MUSTCHECK int wk_set_text(char **at, const char *text, struct bw_error *err);

#endif
