#include "workflow/base/iso.h"

#include <stdio.h>
#include <time.h>

void wf_iso(int64_t ms, char text[WF_ISO_SIZE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;

    if (gmtime_r(&seconds, &parts) == NULL)
        parts = (struct tm){ .tm_year = 70, .tm_mday = 1 };
    (void)snprintf(text, WF_ISO_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                   (parts.tm_year + 1900) % 10000, parts.tm_mon + 1, parts.tm_mday,
                   parts.tm_hour, parts.tm_min, parts.tm_sec, (int)(ms % 1000));
}
