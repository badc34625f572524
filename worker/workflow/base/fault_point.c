#include "workflow/base/fault_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_long passed;

void wf_fault_point(const char *name)
{
    const char *wanted = getenv("BULWARK_FAULT");
    size_t length = strlen(name);

    if (wanted == NULL || strncmp(wanted, name, length) != 0 || wanted[length] != ':')
        return;
    if (atomic_fetch_add(&passed, 1) + 1 == strtol(wanted + length + 1, NULL, 10))
        (void)raise(SIGKILL); /* nobody is left to look at a result */
}
