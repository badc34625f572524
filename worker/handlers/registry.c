#include <string.h>

#include "handlers/exec/handler.h"
#include "handlers/handler.h"
#include "handlers/noop.h"
#include "handlers/plugin/handler.h"
#include "workflow/handler.h"

static const struct wk_handler_type *const types[] = {
    &workflow_handler_type,
    &noop_handler_type,
    &exec_handler_type,
    &plugin_handler_type,
};

const struct wk_handler_type *wk_handler_at(size_t index)
{
    return index < sizeof types / sizeof types[0] ? types[index] : NULL;
}

const struct wk_handler_type *wk_handler_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    }
    return NULL;
}
