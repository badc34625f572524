/* Members that nothing reads, where somebody meant something by them. */
#ifndef WORKFLOW_AUTHORING_CHECK_CHECK_MEMBERS_H
#define WORKFLOW_AUTHORING_CHECK_CHECK_MEMBERS_H

#include "workflow/authoring/check/site.h"

/* Of a node's config. */
void wf_check_members(const struct wf_site *site);
/* Of the workflow itself, its nodes and edges. */
void wf_check_outline(const json_t *workflow, struct wf_problems *problems);

#endif
