/* The types of nodes for people and editors, from the tables of fields.c. One thread. */
#ifndef WORKFLOW_AUTHORING_NODE_LIST_H
#define WORKFLOW_AUTHORING_NODE_LIST_H

#include <jansson.h>

#include <bulwark/buf.h>

/* NULL past the end. */
const char *wf_node_list_type(size_t index);
/* What the values of a row of wf_fields are, for people; NULL: nobody has said. */
const char *wf_node_list_kind(size_t field);

/* New reference: [{"type", "name", "meaning", "needsConfig", "fields": [{"name",
 * "aliases", "kind", "values", "range", "required", "when", "default", "meaning"}]}]; of
 * one type, or of all (NULL). Absent members say nothing. */
json_t *wf_node_list(const char *type);
/* Appends the same for people. */
void wf_node_list_text(const char *type, struct bw_buf *out);
/* New reference: a JSON Schema (draft-07) of a workflow {nodes, connections,
 * entryNodeId}. */
json_t *wf_node_schema(void);

#endif
