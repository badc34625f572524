/* Members whose names are nearly those of a list. */
#ifndef WORKFLOW_AUTHORING_CHECK_SPELLING_H
#define WORKFLOW_AUTHORING_CHECK_SPELLING_H

#include "workflow/authoring/check/site.h"

/* Whether an array of texts holds the word. */
bool wf_words_have(const json_t *words, const char *word);
/* Members of the object that are not of the list "a|b", but nearly. */
void wf_check_spelling(const struct wf_site *site, const char *place,
                       const json_t *object, const char *list);

#endif
