/* `bulwark workflow nodes`. */
#ifndef WORKER_COMMAND_NODES_H
#define WORKER_COMMAND_NODES_H

#include "command/workflow_parts.h"

int wk_workflow_nodes(const struct wk_workflow_options *options);

#endif
