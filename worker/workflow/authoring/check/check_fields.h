/* A node's type and the fields of its config, by the rows of fields.c. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_FIELDS_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_FIELDS_H

#include "workflow/authoring/check/site.h"

void wf_check_fields(const struct wf_site *site);

#endif
