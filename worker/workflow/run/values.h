/* What templates see of a run (worker/workflow/spec/workflow.md §6.3, §6.4), and its
 * variables (§6.2). */
#ifndef WORKFLOW_VALUES_H
#define WORKFLOW_VALUES_H

#include "workflow/run/run.h"

struct wf_scope wf_run_scope(struct wf_run *run);
/* A session variable; takes `value` (NULL: JSON null). `ttl` in seconds, 0: none. */
void wf_run_set(struct wf_run *run, const char *key, json_t *value, int64_t ttl);
/* Borrowed or NULL. */
const json_t *wf_run_get(const struct wf_run *run, enum wf_scope_name scope,
                         const char *key);
/* Preload: the statement and its result. */
size_t wf_run_preload_add(struct wf_run *run, const char *session, const char *workflow,
                          const char *execution);
/* `session`: whether rows of the session count. */
void wf_run_preload_take(struct wf_run *run, size_t index, bool session);
void wf_run_defaults(struct wf_run *run);
/* New: a config member, rendered; NULL when it is absent or empty. */
char *wf_run_text(struct wf_run *run, const json_t *config, const char *key,
                  const char *other);
/* New reference: a config member with its type (whole-string rule); NULL: absent. */
json_t *wf_run_value(struct wf_run *run, const json_t *value);
/* The node's variable for its result, or `fallback`. */
const char *wf_run_assign(const struct wf_node *node, const char *fallback);

#endif
