/* The paths that an expression reads. For those who look a workflow over. */
#ifndef WORKFLOW_EXPRESSION_NAMES_H
#define WORKFLOW_EXPRESSION_NAMES_H

#include <bulwark/error.h>

#include "workflow/language/text.h"

/* Whether it can be read, as wf_expression_check(); `visit` gets the paths it reads, as
 * far as they are written out: `user.balance` of `user.balance > 1`, `x` of `get("x")`.
 */
BW_MUSTCHECK int wf_expression_names(const char *text,
                                     void (*visit)(void *arg, struct wf_text path),
                                     void *arg, struct bw_error *err);

#endif
