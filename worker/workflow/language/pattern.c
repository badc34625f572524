#define PCRE2_CODE_UNIT_WIDTH 8
#include "workflow/language/pattern.h"

#include <pcre2.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/language/text.h"

#define PATTERN_CHARS_MAX 500
#define GROUPS_MAX        100

/* A step is an item of a pattern tried, or STRIDE bytes passed in one: about 30 ns. The
 * limits of PCRE2 itself would not do: they begin anew at each place of the text. */
#define STRIDE         8
#define STEPS          30000
#define STEPS_PER_BYTE 15
#define DEPTH_LIMIT    10000
#define HEAP_LIMIT_KIB 4096

struct wf_pattern {
    pcre2_code *code;
    char *text;
    uint64_t serial; /* no other pattern of this process ever has it */
    atomic_bool told;
};

struct wf_pattern_answer {
    uint64_t serial;
    bool matched;
};

static atomic_uint_fast64_t serials;

/* ---- nested quantifiers: a quantified group that itself holds a quantifier, `(a+)+`
 * ---- */

struct scan {
    const char *at;
    bool quantified[GROUPS_MAX]; /* a quantifier was seen in this open group */
    size_t depth;
};

static void skip_class(struct scan *scan)
{
    scan->at++; /* the bracket */
    if (*scan->at == '^')
        scan->at++;
    for (; *scan->at != '\0' && *scan->at != ']'; scan->at++)
        if (*scan->at == '\\' && scan->at[1] != '\0')
            scan->at++;
}

/* A quantifier that can repeat without a small bound; `?` and `{3}` cannot explode. */
static bool repeats(const char *at)
{
    const char *comma;

    if (*at == '*' || *at == '+')
        return true;
    if (*at != '{')
        return false;
    at++;
    comma = at + strspn(at, "0123456789");
    if (comma == at)
        return false;
    if (*comma == '}')
        return strtol(at, NULL, 10) > 1;
    return *comma == ',' &&
           (comma[1] == '}' || comma[1 + strspn(comma + 1, "0123456789")] == '}');
}

static bool close_group(struct scan *scan)
{
    bool inner;

    if (scan->depth == 0)
        return false;
    inner = scan->quantified[scan->depth--];
    if (inner && repeats(scan->at + 1))
        return true;
    scan->quantified[scan->depth] = scan->quantified[scan->depth] || inner;
    return false;
}

static bool has_nested_quantifiers(const char *text)
{
    struct scan scan = { .at = text };

    for (; *scan.at != '\0'; scan.at++) {
        if (*scan.at == '\\' && scan.at[1] != '\0') {
            scan.at++;
        } else if (*scan.at == '[') {
            skip_class(&scan);
        } else if (*scan.at == '(') {
            if (++scan.depth == GROUPS_MAX)
                return true;
            scan.quantified[scan.depth] = false;
        } else if (*scan.at == ')') {
            if (close_group(&scan))
                return true;
        } else if (repeats(scan.at)) {
            scan.quantified[scan.depth] = true;
        }
        if (*scan.at == '\0')
            break;
    }
    return false;
}

/* ---- compiling ---- */

/* `(*VERB)` at the start would set PCRE2's own options; JavaScript knows none. */
static bool is_safe(const char *text)
{
    return wf_text_units(wf_text_of(text)) <= PATTERN_CHARS_MAX &&
           strncmp(text, "(*", 2) != 0 && !has_nested_quantifiers(text);
}

static pcre2_code *compile(const char *text, bool case_sensitive, int *error)
{
    uint32_t options = PCRE2_AUTO_CALLOUT | PCRE2_UTF | PCRE2_ALT_BSUX |
                       PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF |
                       PCRE2_ALLOW_EMPTY_CLASS | PCRE2_NEVER_BACKSLASH_C;
    PCRE2_SIZE offset;

    if (!case_sensitive)
        options |= PCRE2_CASELESS;
    return pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, error, &offset,
                         NULL);
}

int wf_pattern_create(struct wf_pattern **patternp, const char *text, bool case_sensitive)
{
    struct wf_pattern *pattern;
    int error = 0;

    *patternp = NULL;
    if (!is_safe(text))
        return BW_OK;
    pattern = calloc(1, sizeof *pattern);
    if (pattern == NULL)
        return BW_ENOMEM;
    pattern->serial = atomic_fetch_add(&serials, 1) + 1;
    pattern->code = compile(text, case_sensitive, &error);
    if (pattern->code != NULL)
        pattern->text = strdup(text);
    if (pattern->text == NULL) {
        bool invalid = pattern->code == NULL && error != PCRE2_ERROR_HEAP_FAILED;

        wf_pattern_destroy(&pattern);
        return invalid ? BW_OK : BW_ENOMEM;
    }
    *patternp = pattern;
    return BW_OK;
}

void wf_pattern_destroy(struct wf_pattern **patternp)
{
    struct wf_pattern *pattern = *patternp;

    if (pattern == NULL)
        return;
    *patternp = NULL;
    pcre2_code_free(pattern->code);
    free(pattern->text);
    free(pattern);
}

/* ---- matching ---- */

struct steps {
    int64_t left;
    size_t at; /* where the last one was */
};

static int on_item(pcre2_callout_block *block, void *arg)
{
    struct steps *steps = arg;
    size_t at = block->current_position;

    steps->left -= 1 + (int64_t)(at > steps->at ? at - steps->at : 0) / STRIDE;
    steps->at = at;
    return steps->left > 0 ? 0 : PCRE2_ERROR_CALLOUT;
}

static pcre2_match_context *limits_create(struct steps *steps)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);

    if (limits == NULL)
        return NULL;
    (void)pcre2_set_depth_limit(limits, DEPTH_LIMIT); /* these three always succeed */
    (void)pcre2_set_heap_limit(limits, HEAP_LIMIT_KIB);
    (void)pcre2_set_callout(limits, on_item, steps);
    return limits;
}

/* PCRE2's return code; a limit for want of memory, as any other. */
static int match(const struct wf_pattern *pattern, const char *text, struct steps *steps)
{
    pcre2_match_context *limits = limits_create(steps);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc = PCRE2_ERROR_HEAPLIMIT;

    if (limits != NULL && data != NULL)
        rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data,
                         limits);
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return rc;
}

static bool is_limit(int rc)
{
    return rc == PCRE2_ERROR_CALLOUT || rc == PCRE2_ERROR_MATCHLIMIT ||
           rc == PCRE2_ERROR_DEPTHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT;
}

static int64_t budget_for(const char *text)
{
    return STEPS + STEPS_PER_BYTE * (int64_t)strlen(text);
}

/* What the pattern said before of this update; NULL: it was not asked. */
static const struct wf_pattern_answer *find(const struct wf_pattern_budget *budget,
                                            const struct wf_pattern *pattern)
{
    for (size_t i = 0; i < budget->count; i++)
        if (budget->known[i].serial == pattern->serial)
            return &budget->known[i];
    return NULL;
}

/* Without memory it is asked again, which is right, too. */
static void remember(struct wf_pattern_budget *budget, const struct wf_pattern *pattern,
                     bool matched)
{
    struct wf_pattern_answer *more =
        realloc(budget->known, (budget->count + 1) * sizeof(*more));

    if (more == NULL)
        return;
    budget->known = more;
    more[budget->count++] = (struct wf_pattern_answer){ pattern->serial, matched };
}

static void give_up(struct wf_pattern *pattern, struct wf_pattern_budget *budget)
{
    budget->exceeded++;
    if (!atomic_exchange(&pattern->told, true) && budget->tell != NULL)
        budget->tell(budget->arg, pattern->text);
}

static bool ask(struct wf_pattern *pattern, const char *text,
                struct wf_pattern_budget *budget)
{
    struct steps steps = { 0 };
    int64_t share;
    int rc;

    if (!budget->begun) {
        budget->begun = true;
        budget->left = budget_for(text);
    }
    share = steps.left = budget->left / 2;
    rc = match(pattern, text, &steps);
    budget->left -= share - (steps.left > 0 ? steps.left : 0);
    if (is_limit(rc))
        give_up(pattern, budget);
    return rc >= 0;
}

bool wf_pattern_matches(struct wf_pattern *pattern, const char *text,
                        struct wf_pattern_budget *budget)
{
    struct wf_pattern_budget own = { 0 };
    const struct wf_pattern_answer *answer;
    bool matched;

    if (pattern == NULL)
        return false;
    if (budget == NULL)
        return ask(pattern, text, &own);
    answer = find(budget, pattern);
    if (answer != NULL)
        return answer->matched;
    matched = ask(pattern, text, budget);
    remember(budget, pattern, matched);
    return matched;
}

void wf_pattern_budget_fini(struct wf_pattern_budget *budget)
{
    free(budget->known);
    *budget = (struct wf_pattern_budget){ 0 };
}
