/* Times as texts. Pure; any thread. */
#ifndef WORKFLOW_ISO_H
#define WORKFLOW_ISO_H

#include <stdint.h>

#define WF_ISO_SIZE 64

/* `YYYY-MM-DDTHH:MM:SS.mmmZ` of milliseconds since the epoch. */
void wf_iso(int64_t ms, char text[WF_ISO_SIZE]);

#endif
