/* Masking of secrets in what is written to logs. worker/workflow/spec/workflow.md §3.10.
 * Pure. */
#ifndef WORKFLOW_SANITISE_H
#define WORKFLOW_SANITISE_H

#include <jansson.h>

/* New reference: a copy of `value` with secret members masked, long texts and deep parts
 * replaced. NULL when memory is out or `value` is NULL. */
json_t *wf_sanitise(const json_t *value);

#endif
