/* The referral that waits for a customer's activation, part of the batch that activates
 * him. worker/workflow/spec/workflow.md §8.3 activate_user 5. It must not undo the
 * activation: when the batch is refused, it is sent once more without. */
#ifndef WORKFLOW_REFERRAL_H
#define WORKFLOW_REFERRAL_H

#include "workflow/run/run.h"

/* The statement into the batch. `user_id` NULL: the customer `user_found` finds. After
 * wf_referral_refused() it changes nothing, in the same place. */
void wf_referral_add(struct wf_run *run, const char *user_id);
/* True: the batch was refused with the referral in it, and is worth another try. */
bool wf_referral_refused(struct wf_run *run);
/* After the batch: what changed, what did not. `pending`: a referral was there. */
void wf_referral_done(struct wf_run *run, size_t index, bool pending);

#endif
