/* Paths, templates, conditions and expressions over a run's values. spec/workflow.md
 * §§6, 7.
 *
 * Pure: every value comes through a `struct wf_scope`; nothing is evaluated twice. Values
 * are jansson values; "absent" (JavaScript's undefined) is NULL, JSON null is
 * json_null(). New references are the caller's. Bounded in length, depth and steps; any
 * input. */
#ifndef WORKFLOW_TEMPLATE_H
#define WORKFLOW_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>

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

enum wf_escape {
    WF_ESCAPE_NONE,
    WF_ESCAPE_HTML,
    WF_ESCAPE_MARKDOWN,
    WF_ESCAPE_MARKDOWN_V2,
    WF_ESCAPE_JSON /* the inside of a JSON string */
};

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
/* A path a person wrote with or without braces: `x`, `{x}` or `{{x}}`. New reference as
 * wf_path_value(); text around or between placeholders makes it a template. BW_ENOMEM. */
BW_MUSTCHECK int wf_operand_value(const struct wf_scope *scope, const char *text,
                                  json_t **out);

/* Of what stands inside of `{{…}}`: the bar before the first filter, NULL if there is
 * none; two bars are an operator. */
const char *wf_template_filter(struct wf_text content);
/* Whether what stands before it is computed (§7.3), for no path has such signs; a hyphen
 * by itself may be part of a name. What has a value as a path is not computed. */
bool wf_template_is_expression(struct wf_text text);

/* A template string in mixed form; appends to `out`. BW_ENOMEM. */
BW_MUSTCHECK int wf_template_render(const struct wf_scope *scope, const char *text,
                                    enum wf_escape escape, struct bw_buf *out);
/* The whole-string rule: a string that is one `{{path}}` keeps its type, objects and
 * arrays are done recursively, other values are taken as they are. New reference in
 * `*out`, NULL there for absent (members that are absent are left out, array items become
 * null). Objects and arrays in `*out` are copies, the caller's to change. BW_ENOMEM. */
BW_MUSTCHECK int wf_template_value(const struct wf_scope *scope, const json_t *config,
                                   json_t **out);

/* ECMAScript's Number → String, without exponent for |x| < 1e21 (§0.3), tiny numbers
 * included. */
BW_MUSTCHECK int wf_number_text(double number, struct bw_buf *out);
/* Appends `text` so that it shows as it is in that markup. */
BW_MUSTCHECK int wf_escape_text(struct wf_text text, enum wf_escape escape,
                                struct bw_buf *out);
/* A value in mixed text: null and absent → "", objects → compact JSON (§6.1). */
BW_MUSTCHECK int wf_value_text(const json_t *value, struct bw_buf *out);
/* Compact JSON as JSON.stringify() writes it: numbers by wf_number_text(), members as
 * stored; what lies deeper than 200 levels is null. */
BW_MUSTCHECK int wf_value_json(const json_t *value, struct bw_buf *out);
double wf_value_number(const json_t *value); /* num(x), §7.2 */
bool wf_value_truthy(const json_t *value);

/* §7.1–7.2 from a condition's config, including the expression form and the __SKIP__ rule
 * (`original_text` of the event, or NULL). BW_EINVAL: the node error, its text ready for
 * the log. */
BW_MUSTCHECK int wf_condition(const struct wf_scope *scope, const json_t *config,
                              const char *original_text, bool *result,
                              struct bw_error *err);
/* §7.3. New reference in `*out` (NULL: undefined; NaN and Infinity are null). BW_EINVAL
 * with `Condition evaluation failed: …`. */
BW_MUSTCHECK int wf_expression(const struct wf_scope *scope, const char *text,
                               json_t **out, struct bw_error *err);
/* The same, for its truthiness: what conditions, jumps and loops want. */
BW_MUSTCHECK int wf_expression_test(const struct wf_scope *scope, const char *text,
                                    bool *result, struct bw_error *err);
/* Only whether it can be read: BW_OK, BW_EINVAL with `Condition evaluation failed: …`, or
 * BW_ENOMEM. */
BW_MUSTCHECK int wf_expression_check(const char *text, struct bw_error *err);
/* The same, and `visit` gets the paths it reads, as far as they are written out:
 * `user.balance` of `user.balance > 1`, `x` of `get("x")`. */
BW_MUSTCHECK int wf_expression_names(const char *text,
                                     void (*visit)(void *arg, struct wf_text path),
                                     void *arg, struct bw_error *err);
/* An operator of the simple form, or one of its aliases. */
bool wf_condition_operator_known(const char *name);
/* All of them, one after the other; NULL past the end. `arg` is not used. */
const char *wf_condition_operator_name(const void *arg, size_t index);
/* flow.switch's match of two values, §5.5; NULL is absent and matches only absent. */
bool wf_switch_match(const json_t *value, const json_t *candidate);

#endif
