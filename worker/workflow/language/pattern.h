/* Patterns of triggers: JavaScript's regular expressions as far as PCRE2 has them,
 * bounded. worker/workflow/spec/workflow.md §5.1.
 *
 * All patterns that an update is held against share one budget, counted in steps, so that
 * the outcome does not hang on how busy the machine is.
 *
 * A pattern is immutable after creation; any thread may match. Pure. */
#ifndef WORKFLOW_PATTERN_H
#define WORKFLOW_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>

struct wf_pattern;

/* What is left for the patterns of one update, and what they said: a pattern is asked
 * about one text once. Zeroed: nothing was asked. One thread at a time. */
struct wf_pattern_budget {
    bool begun;
    int64_t left; /* steps */
    struct wf_pattern_answer *known;
    size_t count;
    unsigned exceeded; /* patterns that were given up */
    /* Of a pattern that is given up for the first time in its life; NULL: nobody asks. */
    void (*tell)(void *arg, const char *pattern);
    void *arg;
};

void wf_pattern_budget_fini(struct wf_pattern_budget *budget);

/* `*patternp` is NULL for a pattern that never matches: invalid, over 500 characters, or
 * with nested quantifiers. BW_ENOMEM. */
BW_MUSTCHECK int wf_pattern_create(struct wf_pattern **patternp, const char *text,
                                   bool case_sensitive);
void wf_pattern_destroy(struct wf_pattern **patternp);

/* An unanchored search. False also when a limit (steps, depth, memory) was hit: one
 * pattern may take half of what is left. `pattern` may be NULL; `budget` NULL: a whole
 * one for this match alone. */
bool wf_pattern_matches(struct wf_pattern *pattern, const char *text,
                        struct wf_pattern_budget *budget);

#endif
