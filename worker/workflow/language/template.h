/* Templates over a run's values. worker/workflow/spec/workflow.md §6.
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

#include "workflow/language/scope.h"
#include "workflow/language/text.h"

enum wf_escape {
    WF_ESCAPE_NONE,
    WF_ESCAPE_HTML,
    WF_ESCAPE_MARKDOWN,
    WF_ESCAPE_MARKDOWN_V2,
    WF_ESCAPE_JSON /* the inside of a JSON string */
};

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

/* Appends `text` so that it shows as it is in that markup. */
BW_MUSTCHECK int wf_escape_text(struct wf_text text, enum wf_escape escape,
                                struct bw_buf *out);

#endif
