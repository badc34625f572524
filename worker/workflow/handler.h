/* The handler "workflow": the engine as a kind of handler (worker/handlers/handler.h). */
#ifndef WORKFLOW_HANDLER_H
#define WORKFLOW_HANDLER_H

#include "handlers/handler.h"

extern const struct wk_handler_type workflow_handler_type;

#endif
