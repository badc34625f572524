/* The state that a dry run is given: its members, checked and listed. */
#ifndef WORKFLOW_AUTHORING_DRY_STATE_H
#define WORKFLOW_AUTHORING_DRY_STATE_H

#include <jansson.h>

#include <bulwark/error.h>

/* Whether the state has the members that wf_dry_create() names, and no others: BW_EINVAL
 * with path and nearest name. */
BW_MUSTCHECK int dry_state_check(const json_t *state, struct bw_error *err);
/* The members of a kind, one after the other; NULL past the end. */
const char *dry_state_member(const char *in, size_t index);
/* New reference: a row with its values as the store keeps them; lists stay behind. `in`
 * is the kind: customer, bonus, transaction, order, organization, membership, link. */
json_t *dry_state_row(const char *in, const json_t *given);

#endif
