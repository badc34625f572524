/* A customer's variables and profile from the row of the statement `customer`
 * (worker/workflow/spec/workflow.md §6.5, §8.4). Pure. */
#ifndef WORKFLOW_CUSTOMER_H
#define WORKFLOW_CUSTOMER_H

#include <jansson.h>

#include "workflow/engine/settings.h"

/* New reference: flat name → value. `levels`: active levels of the project by least
 * amount. */
json_t *wf_customer_variables(const json_t *row, const json_t *levels,
                              const struct wf_settings *settings);
/* New reference: P-JSON. */
json_t *wf_customer_profile(const json_t *row);

#endif
