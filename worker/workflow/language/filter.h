/* The optional filters of a placeholder: `{{path|default:"x"|upper}}`.
 * worker/workflow/spec/workflow.md §6.1. Pure, except that `date` shows the process's
 * time zone. */
#ifndef WORKFLOW_FILTER_H
#define WORKFLOW_FILTER_H

#include <stdbool.h>

#include <jansson.h>

#include <bulwark/error.h>

#include "workflow/language/text.h"

/* Applies `filters` (the text behind the first `|`) in order. `*value` is replaced: the
 * old reference is given up, the new one is the caller's; NULL is absent. An unknown
 * filter makes the value absent, as an unknown path is. `*raw` is set by `raw`.
 * BW_ENOMEM. */
BW_MUSTCHECK int wf_filter_apply(struct wf_text filters, json_t **value, bool *raw);

/* Whether all of them are known; else the name of the first that is not in `*unknown`. */
bool wf_filter_known(struct wf_text filters, struct wf_text *unknown);

#endif
