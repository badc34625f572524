/* What the engine asked for, written down. */
#ifndef WORKFLOW_AUTHORING_DRY_RECORD_H
#define WORKFLOW_AUTHORING_DRY_RECORD_H

#include "workflow/authoring/dry/dry.h"

/* Into the trace of the job that runs; takes `call`. */
void dry_record(struct wf_dry *dry, const char *kind, json_t *call);

#endif
