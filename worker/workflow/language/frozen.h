/* JSON that several threads read at once: its reference counts stand still, as those of
 * jansson's own true and null do, so that taking and dropping references to its parts
 * writes nothing.
 *
 * Whoever freezes it owns it alone; references to its parts end with it. Pure. */
#ifndef WORKFLOW_FROZEN_H
#define WORKFLOW_FROZEN_H

#include <jansson.h>

/* The value and all in it; NULL is fine. */
void wf_json_freeze(json_t *json);
/* Undoes it, so that the owner's json_decref() frees it. */
void wf_json_thaw(json_t *json);

#endif
