/* Paths such as `telegram.callback.params[1]`, taken apart once and looked up.
 * worker/workflow/spec/workflow.md §6.3. Pure. */
#ifndef WORKFLOW_PATH_H
#define WORKFLOW_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <bulwark/error.h>

#include "workflow/language/scope.h"
#include "workflow/language/text.h"

/* UTF-16 units that a path, or the content of a placeholder, may have. */
#define WF_PATH_CHARS    200
#define WF_PATH_BYTES    (WF_PATH_CHARS * 3 + 1)
#define WF_PATH_SEGMENTS (WF_PATH_CHARS / 2 + 1)

struct wf_path { /* segments are trimmed and not empty; borrowed from the text */
    struct wf_text segments[WF_PATH_SEGMENTS];
    bool index[WF_PATH_SEGMENTS]; /* written as [n] */
    size_t count;
};

struct wf_found {
    const json_t *value; /* borrowed from the scope; NULL: absent, or a length */
    bool is_length;
    size_t length;
    bool trusted; /* the administrator's: project.* */
};

/* False: no path at all. `text` must outlive the path. */
bool wf_path_parse(struct wf_path *path, struct wf_text text);
/* Walks the segments from `from` on inside `root`. */
void wf_path_step(const json_t *root, const struct wf_path *path, size_t from,
                  struct wf_found *found);
void wf_path_find(const struct wf_scope *scope, struct wf_text text,
                  struct wf_found *found);
/* The value as a new reference, NULL for absent. BW_ENOMEM. */
BW_MUSTCHECK int wf_found_value(const struct wf_found *found, json_t **out);

/* Whether `name` is a secret member (§6.3) of the root object `object`. */
bool wf_path_denied_member(const struct wf_scope *scope, const json_t *object,
                           struct wf_text name);

/* §6.3. Borrowed from the scope, or NULL: absent. `path` without braces, at most 200
 * characters. The computed `length` of texts and arrays is absent here: use
 * wf_path_value(). */
const json_t *wf_path_resolve(const struct wf_scope *scope, const char *path, size_t len);
/* As wf_path_resolve(), with `length`. New reference in `*out`, NULL there for absent;
 * what comes from the scope is shared, not copied: do not change it. BW_ENOMEM. */
BW_MUSTCHECK int wf_path_value(const struct wf_scope *scope, const char *path, size_t len,
                               json_t **out);
/* Walks the rest of a path (`a.b[0]`) inside one value: own members only. Borrowed; NULL:
 * absent. */
const json_t *wf_path_walk(const json_t *root, const char *rest, size_t len);

#endif
