/* A check of one kind of value; `field` is its path in the report, `arg` what the row of
 * fields.c gives. */
#ifndef WORKFLOW_AUTHORING_CHECK_VALUE_CHECK_H
#define WORKFLOW_AUTHORING_CHECK_VALUE_CHECK_H

#include "workflow/authoring/check/site.h"

typedef void wf_value_check(const struct wf_site *site, const char *field,
                            const json_t *value, const char *arg);

#endif
