/* The customer of a run (§6.4, §6.5). */
#ifndef WORKFLOW_PERSON_H
#define WORKFLOW_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "workflow/run/step.h"

struct wf_node;

struct wf_person {
    /* flat, `user.*` (§6.5), or NULL; the same as `user` (§6.3), made when asked for */
    json_t *variables, *object;
    /* they are right: NULL means that there is nobody */
    bool known;
    /* by this run, and not read since */
    bool changed;
    /* for a referral code that he did not have */
    bool code_asked;
    unsigned code_tries;
    wf_step *loaded, *then;
};

/* Whether anything the run may render speaks of the customer. */
bool wf_person_wanted(const struct wf_run *run);
/* The statement in the batch that is begun; wf_person_take() reads it. */
size_t wf_person_add(struct wf_run *run, const char *execution);
void wf_person_take(struct wf_run *run, size_t index);
/* The same for run->user_id. */
size_t wf_person_add_own(struct wf_run *run);
/* The run has changed its customer, and the cache is empty: worth reading anew with the
 * flush, so that the next message finds it. */
bool wf_person_stale(const struct wf_run *run);
/* Whose customer the event's sender is, as the database last said to this process; new
 * text, or NULL: unknown. */
char *wf_person_recall(const struct wf_run *run);
void wf_person_remember(struct wf_run *run, const char *user_id);
void wf_person_take_cached(struct wf_run *run, const char *json);
/* Loads the customer if the node (the current one) needs it and it is not known, and has
 * his referral code made if that is asked for; then goes on. True: nothing to do. */
bool wf_person_ready(struct wf_run *run, const struct wf_node *node, wf_step *then);
void wf_person_load(struct wf_run *run, wf_step *then);
/* The customer with this id is the run's from now on; NULL: nobody. */
void wf_person_set(struct wf_run *run, const char *user_id);
/* After a change by the run: caches are dropped, the next use reads anew
 * (worker/workflow/spec/workflow.md §10.3). */
void wf_person_changed(struct wf_run *run, const char *user_id);
char *wf_person_key(const struct wf_run *run, const char *pattern, const char *user_id);
/* Keys that hold something of a customer, into the group that is begun. */
void wf_person_drop_keys(struct wf_run *run, const char *user_id);

#endif
