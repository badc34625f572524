/* Which version of the project's workflow runs, and where it is kept: in this process,
 * under the S key with the marker of Node's key, or in the database.
 * worker/workflow/spec/workflow.md §3.2, §10.2, §10.3.
 */
#ifndef WORKFLOW_VERSIONS_H
#define WORKFLOW_VERSIONS_H

#include <stddef.h>

#include "workflow/run/step.h"

struct wf_versions {
    /* digest of Node's version key, or NULL */
    char *marker;
    wf_step *then;
};

/* New text: Node's key of the active version, whose value tells whether a cached one
 * still counts. */
char *wf_versions_node_key(const struct wf_run *run);
/* Looks for the active graph without the database, then goes on; run->graph stays NULL if
 * it has to be loaded. */
void wf_versions_find(struct wf_run *run, wf_step *then);
/* From the rows of the statement `versions`: picks and caches. run->graph stays NULL if
 * there is none. */
void wf_versions_take(struct wf_run *run, size_t index);
/* From the row of the statement `project`: run->project, NULL if there is none. */
void wf_versions_take_project(struct wf_run *run, size_t index);

/* Makes run->graph the graph of that workflow and version (not necessarily the active
 * one), then goes on; run->graph is NULL if there is no such version. */
void wf_versions_exact(struct wf_run *run, const char *workflow_id, int version,
                       wf_step *then);

/* Forgets all versions of the project, here and in Redis (§10.3, last rule). */
void wf_versions_drop(struct wf_run *run);

#endif
