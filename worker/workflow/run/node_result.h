/* What nodes return (nodes/nodes.h). */
#ifndef WORKFLOW_NODE_RESULT_H
#define WORKFLOW_NODE_RESULT_H

#include "workflow/run/run.h"

enum wf_action wf_node_next(void);
enum wf_action wf_node_branch(struct wf_run *run, const char *handle, bool fallback);
enum wf_action wf_node_goto(struct wf_run *run, const char *target);
/* Takes `payload`. */
enum wf_action wf_node_wait(struct wf_run *run, enum wf_wait_type type, json_t *payload);
enum wf_action wf_node_end(struct wf_run *run, bool success, char *message);
enum wf_action wf_node_fail(struct wf_run *run, const char *format, ...) BW_PRINTF(2, 3);
/* The same for an answer of the person's that will not do: he is told `notice`, and the
 * wait it answered stays open where nothing was done since. */
enum wf_action wf_node_refuse(struct wf_run *run, const char *notice, const char *format,
                              ...) BW_PRINTF(3, 4);

void wf_result_clear(struct wf_result *result);
/* Empties run->out. */
void wf_node_clear_result(struct wf_run *run);
/* The same, and all that a node leaves in the run. */
void wf_node_clear(struct wf_run *run);

#endif
