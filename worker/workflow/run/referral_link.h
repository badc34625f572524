/* Links that bring a friend: the project's address with the customer's id in its query.
 * worker/workflow/spec/workflow.md §8.4 get_referral_link. Pure; any thread. */
#ifndef WORKFLOW_REFERRAL_LINK_H
#define WORKFLOW_REFERRAL_LINK_H

#include <jansson.h>

/* New text. `domain`, `slug` of an organisation and `more` may be NULL; the texts in
 * `more` are further parameters, and replace those of the same name. */
char *wf_referral_link(const char *domain, const char *user_id, const char *slug,
                       const json_t *more);

#endif
