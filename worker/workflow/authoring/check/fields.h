/* The table of node types and their fields: one row each, from which checks, lists for
 * people and the schema for editors come. */
#ifndef WORKFLOW_AUTHORING_CHECK_FIELDS_H
#define WORKFLOW_AUTHORING_CHECK_FIELDS_H

#include "workflow/authoring/check/value_check.h"

/* What editors keep beside the fields of a node; starting with "_", anything. */
#define WF_OF_EDITORS                                                                    \
    "id|type|nodeType|label|title|name|description|note|notes|comment|icon|color|"       \
    "position|category|enabled|disabled|version|metadata|style|width|height|selected|"   \
    "schema|settings"
#define WF_METHODS "GET|POST|PUT|DELETE|PATCH|HEAD"

struct wf_field {
    const char *types; /* of the nodes: "a|b|c*" */
    const char
        *names; /* its spellings: "a|b"; the first that is there counts; "*": any */
    wf_value_check *check;
    const char *arg;
    const char *missing; /* what to say when it is not there; NULL: it need not be */
    /* Only if: "key=a|b" the member has one of these values ("": it is not there), or
     * "!a|b" none of the members is there. NULL: always. */
    const char *when;
    const char
        *fallback;       /* what counts when it is not there, for people; NULL: nothing */
    const char *meaning; /* for people */
};

extern const struct wf_field wf_fields[];
extern const size_t wf_field_count;

struct wf_about {
    const char *type, *meaning;
};

extern const struct wf_about wf_abouts[];
extern const size_t wf_about_count;

/* Whether the row is about nodes of that type. */
bool wf_field_is_of(const struct wf_field *field, const char *type);

#endif
