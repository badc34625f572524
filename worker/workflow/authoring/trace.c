#include "workflow/authoring/trace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

#define SHOWN_MAX 160 /* bytes of a value */

/* --- values */

/* Cut between characters. */
static int shown_bytes(const char *text)
{
    size_t len = strlen(text);

    if (len <= SHOWN_MAX)
        return (int)len;
    len = SHOWN_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return (int)len;
}

static void add_json(struct bw_buf *out, const json_t *value)
{
    char *text = wf_dumps(value);
    int shown = shown_bytes(text);

    wf_check(bw_buf_addf(out, "%.*s%s", shown, text, text[shown] != '\0' ? "…" : ""));
    free(text);
}

/* --- lines */

static void add_call(struct bw_buf *out, const json_t *call)
{
    const char *kind = wf_member(call, "kind", "");

    wf_check(bw_buf_addf(out, "       %-8s ", kind));
    if (strcmp(kind, "warning") == 0) {
        wf_check(bw_buf_addf(out, "the name \"%s\" yields nothing\n",
                             wf_member(call, "name", "")));
        return;
    }
    if (strcmp(kind, "sql") == 0) {
        wf_check(bw_buf_addf(out, "%s ", wf_member(call, "statement", "")));
        add_json(out, json_object_get(call, "params"));
        wf_check(
            bw_buf_addf(out, " → %lld rows",
                        (long long)json_integer_value(json_object_get(call, "rows"))));
    } else if (strcmp(kind, "job") == 0) {
        wf_check(
            bw_buf_addf(out, "%s in %lld ms ", wf_member(call, "queue", ""),
                        (long long)json_integer_value(json_object_get(call, "delay"))));
        add_json(out, json_object_get(call, "data"));
    } else {
        wf_check(bw_buf_addf(out, "%s %s", wf_member(call, "method", ""),
                             wf_member(call, "url", "")));
        if (json_object_get(call, "params") != NULL)
            add_json(out, json_object_get(call, "params"));
        else if (json_object_get(call, "body") != NULL)
            add_json(out, json_object_get(call, "body"));
    }
    wf_check(bw_buf_add_char(out, '\n'));
}

static void add_step(struct bw_buf *out, const json_t *step)
{
    const json_t *error = json_object_get(step, "error");

    wf_check(bw_buf_addf(out, "  %3lld  %s (%s)",
                         (long long)json_integer_value(json_object_get(step, "step")),
                         wf_member(step, "node_id", ""),
                         wf_member(step, "node_type", "")));
    if (wf_member(step, "branch_key", NULL) != NULL)
        wf_check(bw_buf_addf(out, " → %s", wf_member(step, "branch_key", "")));
    if (error != NULL)
        wf_check(bw_buf_addf(out, ": ERROR: %s", wf_member(error, "message", "")));
    else if (strcmp(wf_member(step, "level", "info"), "info") != 0)
        wf_check(bw_buf_addf(out, ": %s", wf_member(step, "message", "")));
    wf_check(bw_buf_add_char(out, '\n'));
}

/* Of the same step: a call, or another row of the log. */
static bool is_of(const json_t *call, const json_t *step)
{
    return json_is_integer(json_object_get(call, "step")) &&
           json_equal(json_object_get(call, "step"), json_object_get(step, "step")) &&
           json_equal(json_object_get(call, "execution"),
                      json_object_get(step, "execution"));
}

/* What the step asked for; NULL: what no step did, before the first. */
static void add_calls_of(struct bw_buf *out, const json_t *calls, const json_t *step)
{
    size_t i;
    json_t *call;

    json_array_foreach(calls, i, call)
    {
        if (step != NULL ? is_of(call, step)
                         : json_is_null(json_object_get(call, "step")))
            add_call(out, call);
    }
}

static void add_variables(struct bw_buf *out, json_t *variables)
{
    const char *key;
    json_t *value;

    json_object_foreach(variables, key, value)
    {
        wf_check(bw_buf_addf(out, "  %s = ", key));
        add_json(out, value);
        wf_check(bw_buf_add_char(out, '\n'));
    }
}

static void add_job(struct bw_buf *out, const json_t *job)
{
    const json_t *steps = json_object_get(job, "steps");
    const json_t *calls = json_object_get(job, "calls");
    size_t i;
    json_t *step;

    wf_check(bw_buf_addf(out, "%s\n", wf_member(job, "job", "")));
    add_calls_of(out, calls, NULL);
    json_array_foreach(steps, i, step)
    {
        add_step(out, step);
        /* a warning stands beside the step, in a row of its own before it */
        if (!is_of(json_array_get(steps, i + 1), step))
            add_calls_of(out, calls, step);
    }
    add_variables(out, json_object_get(job, "variables"));
    if (json_object_get(job, "error") != NULL)
        wf_check(bw_buf_addf(out, "  job failed: %s\n", wf_member(job, "error", "")));
    else if (wf_member(job, "status", NULL) == NULL)
        wf_check(bw_buf_add_str(out, "  nothing handles it\n"));
    else
        wf_check(bw_buf_addf(out, "  %s%s%s%s%s\n", wf_member(job, "status", ""),
                             wf_member(job, "wait", NULL) != NULL ? ": " : "",
                             wf_member(job, "wait", ""),
                             wf_member(job, "failure", NULL) != NULL ? ": " : "",
                             wf_member(job, "failure", "")));
}

void wf_trace_text(const json_t *trace, struct bw_buf *out)
{
    size_t i;
    json_t *job;

    json_array_foreach(trace, i, job)
    {
        if (i > 0)
            wf_check(bw_buf_add_char(out, '\n'));
        add_job(out, job);
    }
}
