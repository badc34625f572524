/* The handler `exec`: jobs run by programs in any language, over the line protocol of
 * processors (README.md, "Processors in other languages").
 *
 * {"exec": ["node", "emails.js"], "processes": 2, "events": false, "env": ["API_KEY"],
 *  "timeout": 60000, …}: see settings.c. */
#ifndef WORKER_HANDLERS_EXEC_HANDLER_H
#define WORKER_HANDLERS_EXEC_HANDLER_H

#include "handlers/handler.h"

extern const struct wk_handler_type exec_handler_type;

#endif
