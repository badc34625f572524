/* Where names come from. worker/workflow/spec/workflow.md §6. */
#ifndef WORKFLOW_SCOPE_H
#define WORKFLOW_SCOPE_H

#include <stdbool.h>

#include <jansson.h>

#include "workflow/language/text.h"

/* Where names come from. The engine's run implements it; tests use a plain object.
 *
 * `project`, `telegram` and `context` should hold none of the secrets of §6.3 in the
 * first place: a path to one of them is denied here, but an object that is written out
 * whole shows all its members. */
struct wf_scope {
    /* The value of a root segment (§6.3: telegram, project, user, now, session variable
     * …); also asked for `get(name, scope)` and `session.name` with `variables` =
     * "session", "user", "project" or "global" (else NULL). `session` and `global` with
     * NULL are, in expressions, the objects of all variables of the scope. Borrowed for
     * the evaluation; NULL: absent. */
    const json_t *(*root)(void *arg, const char *name, const char *variables);
    /* A flat name of `{name}` (§6.4), e.g. "user.firstName". `*trusted` is set when the
     * value is the administrator's (a project variable or project.*): not escaped,
     * expanded once. NULL: not in the map, the text stays as it is. */
    const json_t *(*flat)(void *arg, const char *name, bool *trusted);
    /* Told of each placeholder that stands for nothing; may be NULL. `alone`: it is the
     * whole of a text, which is then absent, as may be meant. */
    void (*missing)(void *arg, struct wf_text path, bool alone);
    void *arg;
    bool expose_secrets; /* template.expose_secrets, §6.3 */
    bool strict_equals;  /* condition.loose_equals = off, §7.2 */
};

#endif
