/* What tells of a customer is not said in a group: it goes to his private chat, and the
 * run with it. worker/workflow/spec/workflow.md §12 #47, WF-172 */
#ifndef WORKFLOW_PERSONAL_H
#define WORKFLOW_PERSONAL_H

#include <stdbool.h>

#include <jansson.h>

struct wf_run;

struct wf_personal {
    /* the run goes on in the person's private chat */
    bool moved;
    /* names of variables that tell of a customer, or NULL */
    json_t *names;
};

enum wf_personal_say {
    WF_PERSONAL_GO,     /* as it is: nothing personal, no group, or the run has moved */
    WF_PERSONAL_DROP,   /* it is not said at all */
    WF_PERSONAL_NOBODY, /* nobody has a private chat to say it in */
};

/* Before the current node starts, with its customer at hand. */
enum wf_personal_say wf_personal_admit(struct wf_run *run);
/* The same for a text of the author's that is sent beside the nodes. */
enum wf_personal_say wf_personal_admit_text(struct wf_run *run, const json_t *text);
/* The attempt before had moved: what the checkpoint kept of it. */
void wf_personal_keep(const struct wf_run *run, json_t *parts);
void wf_personal_take(struct wf_run *run, const json_t *parts);

#endif
