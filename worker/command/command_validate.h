/* `bulwark workflow validate`. */
#ifndef WORKER_COMMAND_VALIDATE_H
#define WORKER_COMMAND_VALIDATE_H

#include "command/workflow_parts.h"

int wk_workflow_validate(const struct wk_workflow_options *options);

#endif
