/* What the texts of a graph's nodes speak of. worker/workflow/spec/workflow.md §6.1,
 * §6.5. Pure. */
#ifndef WORKFLOW_GRAPH_READS_H
#define WORKFLOW_GRAPH_READS_H

#include "workflow/language/graph/store.h"

/* Sets `names_customer`, `has_placeholder` and `names_code` of every node. */
void wf_reads_mark(struct wf_graph_store *store);

/* Some text of the config mentions user.* or a flat customer name. */
bool wf_reads_customer(const struct wf_node *node);

/* Some text in the value names the customer's referral code or link. */
bool wf_reads_code(const json_t *value);

#endif
