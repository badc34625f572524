#include "workflow/language/wait_type.h"

#include <stddef.h>
#include <string.h>

static const char *const names[WF_WAIT_COUNT] = {
#define X(name, text) [WF_WAIT_##name] = text,
    WF_WAIT_TYPES(X)
#undef X
};

const char *wf_wait_name(enum wf_wait_type type)
{
    return names[type];
}

enum wf_wait_type wf_wait_type_of(const char *text)
{
    for (size_t i = 1; text != NULL && i < WF_WAIT_COUNT; i++) {
        if (strcmp(names[i], text) == 0)
            return (enum wf_wait_type)i;
    }
    return WF_WAIT_NOTHING;
}
