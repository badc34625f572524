/* Patterns of triggers: JavaScript's regular expressions as far as PCRE2 has them,
 * bounded. §5.1.
 *
 * Immutable after creation; any thread may match. Pure. */
#ifndef WORKFLOW_PATTERN_H
#define WORKFLOW_PATTERN_H

#include <stdbool.h>

#include <bulwark/error.h>

struct wf_pattern;

/* `*patternp` is NULL for a pattern that never matches: invalid, over 500 characters, or
 * with nested quantifiers. BW_ENOMEM. */
BW_MUSTCHECK int wf_pattern_create(struct wf_pattern **patternp, const char *text,
                                   bool case_sensitive);
void wf_pattern_destroy(struct wf_pattern **patternp);

/* An unanchored search. False also when a limit (work, depth, memory) was hit. `pattern`
 * may be NULL. */
bool wf_pattern_matches(const struct wf_pattern *pattern, const char *text);

#endif
