/* Conditions and switches. worker/workflow/spec/workflow.md §7.1, §7.2, §5.5. Pure. */
#ifndef WORKFLOW_CONDITION_H
#define WORKFLOW_CONDITION_H

#include <bulwark/error.h>

#include "workflow/language/scope.h"

/* §7.1–7.2 from a condition's config, including the expression form and the __SKIP__ rule
 * (`original_text` of the event, or NULL). BW_EINVAL: the node error, its text ready for
 * the log. */
BW_MUSTCHECK int wf_condition(const struct wf_scope *scope, const json_t *config,
                              const char *original_text, bool *result,
                              struct bw_error *err);
/* An operator of the simple form, or one of its aliases. */
bool wf_condition_operator_known(const char *name);
/* All of them, one after the other; NULL past the end. `arg` is not used. */
const char *wf_condition_operator_name(const void *arg, size_t index);
/* flow.switch's match of two values, §5.5; NULL is absent and matches only absent. */
bool wf_switch_match(const json_t *value, const json_t *candidate);

#endif
