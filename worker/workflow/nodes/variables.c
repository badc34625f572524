/* action.set_variable, action.get_variable. worker/workflow/spec/workflow.md §5.3.2 */
#include "workflow/nodes/nodes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/expression/expression.h"
#include "workflow/language/number.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/language/text.h"

struct sum {
    struct wf_scope scope;
    struct bw_buf text; /* the same with numbers for the placeholders */
    bool placeholder, operator;
};

static wf_step written;

static int scope_number(const char *name)
{
    static const char *const names[WF_SCOPES] = { "session", "user", "project",
                                                  "global" };

    for (int i = 0; i < WF_SCOPES; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

/* Other scopes than the session's are written before the run goes on (§6.2). */
static enum wf_action write_now(struct wf_run *run, int scope, const char *key,
                                json_t *value, int64_t ttl)
{
    static const char *const names[WF_SCOPES] = { "session", "user", "project",
                                                  "global" };
    char *text = wf_dumps(value), seconds[24];

    wf_json_set(run->vars[scope], key, value);
    (void)snprintf(seconds, sizeof(seconds), "%lld", (long long)ttl);
    wf_db_begin(run);
    (void)wf_db_add(run,
                    WF_SQL_set_variable, [WF_ARG_set_variable_project] = run->project_id,
                    [WF_ARG_set_variable_workflow] = run->execution.workflow_id,
                    [WF_ARG_set_variable_user] = run->user_id,
                    [WF_ARG_set_variable_scope] = names[scope],
                    [WF_ARG_set_variable_key] = key, [WF_ARG_set_variable_value] = text,
                    [WF_ARG_set_variable_ttl] = ttl > 0 ? seconds : NULL);
    free(text);
    wf_db_run(run, written, NULL);
    return WF_PENDING;
}

static void written(struct wf_run *run)
{
    run->effect = true;
    run->resume(run, wf_node_next());
}

/* --- arithmetic: `{{counter}} + 1` */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The placeholder at `at` as a number; what is not there counts as nothing. Its length;
 * 0: none, or no number. */
static size_t take_placeholder(struct sum *sum, const char *at)
{
    const char *close = at[1] == '{' ? "}}" : "}", *end = strstr(at, close);
    json_t *value = NULL;
    char *text;
    double number;
    size_t len;

    if (end == NULL)
        return 0;
    len = (size_t)(end - at) + strlen(close);
    text = wf_printf("%.*s", (int)len, at);
    wf_check(wf_operand_value(&sum->scope, text, &value));
    free(text);
    number = value != NULL ? wf_value_number(value) : 0;
    json_decref(value);
    if (!isfinite(number))
        return 0;
    sum->placeholder = true;
    wf_check(bw_buf_add_char(&sum->text, '('));
    wf_check(wf_number_text(number, &sum->text));
    wf_check(bw_buf_add_char(&sum->text, ')'));
    return len;
}

/* An operand at `at`, with its sign and the brackets before it; its length, 0: none. */
static size_t take_operand(struct sum *sum, const char *at, int *depth)
{
    const char *from = at;
    size_t len = 0;

    for (; *at == '(' || is_blank(*at) || (*at == '-' && !is_blank(at[1])); at++) {
        *depth += *at == '(';
        wf_check(bw_buf_add_char(&sum->text, *at));
    }
    if (*at == '{') {
        len = take_placeholder(sum, at);
    } else {
        len = wf_number_scan(wf_text_of(at), NULL);
        if (len > 0 && (*at == '+' || *at == '-'))
            len = 0;
        wf_check(bw_buf_add(&sum->text, at, len));
    }
    return len > 0 ? (size_t)(at - from) + len : 0;
}

/* Whether the text is a calculation with placeholders: operands and operators in turn,
 * blanks around these, nothing else. */
static bool read_sum(struct sum *sum, const char *at)
{
    int depth = 0;

    for (;;) {
        size_t len = take_operand(sum, at, &depth);

        if (len == 0)
            return false;
        at += len;
        for (; is_blank(*at) || *at == ')'; at++) {
            depth -= *at == ')';
            if (depth < 0)
                return false;
            wf_check(bw_buf_add_char(&sum->text, *at));
        }
        if (*at == '\0')
            return depth == 0 && sum->placeholder && sum->operator;
        if (strchr("+-*/%", *at) == NULL || !is_blank(at[-1]) || !is_blank(at[1]))
            return false;
        sum->operator= true;
        wf_check(bw_buf_add_char(&sum->text, *at++));
    }
}

/* New reference: the value of a calculation; NULL: it is none. */
static json_t *calculated(struct wf_run *run, const json_t *source)
{
    struct sum sum = { .scope = wf_run_scope(run) };
    const char *text = json_string_value(source);
    json_t *value = NULL;

    if (text != NULL && strchr(text, '{') != NULL && strpbrk(text, "+-*/%") != NULL &&
        read_sum(&sum, text)) {
        int rc = wf_expression(&sum.scope, bw_buf_text(&sum.text), &value, NULL);

        if (rc == BW_ENOMEM)
            wf_check(rc);
    }
    bw_buf_fini(&sum.text);
    return value;
}

enum wf_action wf_start_set_variable(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *name = wf_member2(config, "variableName", "name");
    const json_t *source = json_object_get(config, "variableValue");
    int scope = scope_number(wf_member(config, "scope", "session"));
    double ttl = wf_value_number(json_object_get(config, "ttl"));
    int64_t seconds = ttl >= 1 && ttl < 1e9 ? (int64_t)ttl : 0;
    json_t *value;

    if (name == NULL)
        return wf_node_fail(run, "Variable name is required");
    if (scope < 0)
        return wf_node_fail(run, "Unknown variable scope: %s",
                            wf_member(config, "scope", ""));
    if (scope == WF_USER && run->user_id == NULL)
        return wf_node_fail(run, "User variables need a known customer");
    if (source == NULL)
        source = json_object_get(config, "value");
    value = calculated(run, source);
    if (value == NULL)
        value = wf_run_value(run, source);
    if (value == NULL)
        value = json_null();
    if (scope != WF_SESSION)
        return write_now(run, scope, name, value, seconds);
    wf_run_set(run, name, value, seconds);
    return wf_node_next();
}

enum wf_action wf_start_get_variable(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *name = wf_member2(config, "variableName", "name");
    const char *assign = wf_run_assign(run->node, NULL);
    const json_t *fallback = json_object_get(config, "defaultValue");
    int scope = scope_number(wf_member(config, "scope", "session"));
    const json_t *value;

    if (name == NULL)
        return wf_node_fail(run, "Variable name is required");
    if (scope < 0)
        return wf_node_fail(run, "Unknown variable scope: %s",
                            wf_member(config, "scope", ""));
    if (assign == NULL)
        return wf_node_next();
    value = wf_run_get(run, (enum wf_scope_name)scope, name);
    if (value != NULL)
        wf_run_set(run, assign, json_incref((json_t *)(uintptr_t)value), 0);
    else
        wf_run_set(run, assign,
                   wf_run_value(run, fallback != NULL
                                         ? fallback
                                         : json_object_get(config, "default")),
                   0);
    return wf_node_next();
}
