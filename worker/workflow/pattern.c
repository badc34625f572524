#define PCRE2_CODE_UNIT_WIDTH 8
#include "workflow/pattern.h"

#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/text.h"

#define PATTERN_CHARS_MAX 500
#define GROUPS_MAX        100

/* About 100 ms at worst: some ten million steps a second is what a backtracking matcher
 * does. */
#define MATCH_LIMIT    500000
#define DEPTH_LIMIT    10000
#define HEAP_LIMIT_KIB 4096

struct wf_pattern {
    pcre2_code *code;
    pcre2_match_context *limits; /* only read by matches */
};

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
    uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
                       PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
                       PCRE2_NEVER_BACKSLASH_C;
    PCRE2_SIZE offset;

    if (!case_sensitive)
        options |= PCRE2_CASELESS;
    return pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, error, &offset,
                         NULL);
}

static pcre2_match_context *limits_create(void)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);

    if (limits == NULL)
        return NULL;
    (void)pcre2_set_match_limit(limits, MATCH_LIMIT); /* these three always succeed */
    (void)pcre2_set_depth_limit(limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(limits, HEAP_LIMIT_KIB);
    return limits;
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
    pattern->code = compile(text, case_sensitive, &error);
    if (pattern->code != NULL)
        pattern->limits = limits_create();
    if (pattern->limits == NULL) {
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
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
    free(pattern);
}

bool wf_pattern_matches(const struct wf_pattern *pattern, const char *text)
{
    pcre2_match_data *data;
    int rc;

    if (pattern == NULL)
        return false;
    data = pcre2_match_data_create(1, NULL);
    if (data == NULL)
        return false; /* as any other limit */
    rc = pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, data,
                     pattern->limits);
    pcre2_match_data_free(data);
    return rc >= 0;
}
