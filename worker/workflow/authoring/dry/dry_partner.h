/* What dry_partner.c and dry_team.c share. Private to dry_*.c. */
#ifndef WORKFLOW_AUTHORING_DRY_PARTNER_H
#define WORKFLOW_AUTHORING_DRY_PARTNER_H

#include "workflow/authoring/dry/dry_store.h"

/* Borrowed: the first of the memberships that manages that organisation (NULL: any). */
const json_t *dry_managed(const json_t *memberships, const char *organization);
/* New: first and last name, else the e-mail (if it may be shown), else the phone, else
 * `other` and the id's beginning. */
char *dry_name(const json_t *row, bool email, const char *other);
/* What the viewer earned from the subject, in cents, and in how many rows. */
int64_t dry_commission(const struct wf_dry *dry, const char *viewer, const char *subject,
                       json_int_t *count);

#endif
