/* What a bot sent, as a person reads it in a terminal. Pure but for memory; one thread.
 */
#ifndef WORKFLOW_AUTHORING_SAY_H
#define WORKFLOW_AUTHORING_SAY_H

#include <stdbool.h>

#include <jansson.h>

#include <bulwark/buf.h>

/* Appends what the jobs of a trace from `from` on said: messages, then what is amiss.
 * `colours`: bold and the like as a terminal shows them, else without. */
void wf_say_jobs(const json_t *trace, size_t from, bool colours, struct bw_buf *out);
/* Appends the buttons of wf_talk_buttons(), numbered from 1. */
void wf_say_buttons(const json_t *buttons, struct bw_buf *out);

#endif
