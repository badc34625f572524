/* The job that the engine is given. */
#ifndef WORKFLOW_AUTHORING_DRY_JOB_H
#define WORKFLOW_AUTHORING_DRY_JOB_H

#include "workflow/authoring/dry/dry.h"

struct dry_job {
    char *id, *data;
    const char *name;
    struct wf_dry *dry;
    bool answered;
};

extern const struct wf_job_effects dry_job_effects;

#endif
