/* Rows of workflow_logs (worker/workflow/spec/workflow.md §3.10). */
#ifndef WORKFLOW_LOG_H
#define WORKFLOW_LOG_H

#include <stdint.h>

#include <jansson.h>

struct wf_run;

struct wf_log {
    json_t *rows; /* of the flush */
    int64_t last_ms;
};

void wf_log_step(struct wf_run *run, const char *branch, const char *next,
                 const char *outcome);
void wf_log_error(struct wf_run *run, const char *text);
/* A warning beside the step's row. */
void wf_log_warn(struct wf_run *run, const char *text);

#endif
