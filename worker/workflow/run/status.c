#include "workflow/run/status.h"

#include <stddef.h>
#include <string.h>

static const char *const names[WF_STATUS_COUNT] = {
#define X(name, text) [WF_STATUS_##name] = text,
    WF_STATUSES(X)
#undef X
};

const char *wf_status_name(enum wf_status status)
{
    return names[status];
}

enum wf_status wf_status_of(const char *text)
{
    for (size_t i = 1; text != NULL && i < WF_STATUS_COUNT; i++) {
        if (strcmp(names[i], text) == 0)
            return (enum wf_status)i;
    }
    return WF_STATUS_OTHER;
}
