/* The handler `plugin`: jobs run by a shared object (<bulwark/plugin.h>).
 *
 * {"plugin": "./libresize.so", "config": {…}}: the path as dlopen(3) takes it, a relative
 * one from the daemon's working directory; "config" is any JSON value and reaches the
 * plugin as text. The object is loaded when the daemon starts (or `bulwark check` asks),
 * not while the configuration is read. */
#ifndef WORKER_HANDLERS_PLUGIN_HANDLER_H
#define WORKER_HANDLERS_PLUGIN_HANDLER_H

#include "handlers/handler.h"

extern const struct wk_handler_type plugin_handler_type;

#endif
