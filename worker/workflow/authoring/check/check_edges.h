/* A node's edges. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_EDGES_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_EDGES_H

#include "workflow/authoring/check/site.h"

/* Their targets and branches. */
void wf_check_edges(const struct wf_site *site);

#endif
