/* Templates and paths, wherever they stand; `field` is the path in the report.
 * worker/workflow/spec/workflow.md §6.1, §6.3. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_TEMPLATE_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_TEMPLATE_H

#include "workflow/authoring/check/site.h"
#include "workflow/authoring/check/value_check.h"
#include "workflow/language/text.h"

/* Every `{{…}}` in a text. */
void wf_check_template(const struct wf_site *site, const char *field, const char *text);
/* Every text in a value, at any depth. */
void wf_check_templates(const struct wf_site *site, const char *field,
                        const json_t *value);
/* A path as it stands between braces or as an operand; a name that nothing sets, but one
 * like it is known, or a member its object never has, is a problem. */
void wf_check_path(const struct wf_site *site, const char *field, struct wf_text path);

wf_value_check wf_check_operand; /* a path, with or without braces */
wf_value_check wf_check_expression;

#endif
