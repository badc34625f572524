/* `bulwark workflow run`. */
#ifndef WORKER_COMMAND_DRY_RUN_H
#define WORKER_COMMAND_DRY_RUN_H

#include "command/workflow_parts.h"

int wk_workflow_dry_run(const struct wk_workflow_options *options);

#endif
