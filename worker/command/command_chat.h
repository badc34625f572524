/* `bulwark workflow chat`. */
#ifndef WORKER_COMMAND_CHAT_H
#define WORKER_COMMAND_CHAT_H

#include "command/workflow_parts.h"

/* 0 at the end of the input, whatever was said. */
int wk_workflow_chat(const struct wk_workflow_options *options);

#endif
