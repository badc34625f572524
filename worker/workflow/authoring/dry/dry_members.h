/* Memberships of partners, and who belongs to a team. */
#ifndef WORKFLOW_AUTHORING_DRY_MEMBERS_H
#define WORKFLOW_AUTHORING_DRY_MEMBERS_H

#include "workflow/authoring/dry/dry_store.h"

/* New reference: memberships with their organisations, the best first. */
json_t *dry_memberships(const struct wf_dry *dry, const char *user_id);
/* Borrowed: the first of the memberships that manages that organisation (NULL: any). */
const json_t *dry_managed(const json_t *memberships, const char *organization);
/* New reference: user id → whether directly, of a team (A.1). */
json_t *dry_team(const struct wf_dry *dry, const char *viewer, const char *organization);
/* New: first and last name, else the e-mail (if it may be shown), else the phone, else
 * `other` and the id's beginning. */
char *dry_name(const json_t *row, bool email, const char *other);
/* What the viewer earned from the subject, in cents, and in how many rows. */
int64_t dry_commission(const struct wf_dry *dry, const char *viewer, const char *subject,
                       json_int_t *count);

#endif
