#include "workflow/nodes/fetch.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "json/read.h"
#include "web/policy.h"
#include "workflow/base/mem.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"
#include "workflow/run/under_way.h"
#include "workflow/run/node_result.h"
#include "workflow/run/task.h"
#include "workflow/run/values.h"

static json_t *render_headers(struct wf_run *run);
static bool names_type(const json_t *headers);
static char *render_body(struct wf_run *run, const json_t *config);

/* --- the request */

static const char *method_named(const char *name)
{
    static const char *const methods[] = {
        "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcasecmp(name, methods[i]) == 0)
            return methods[i];
    }
    return NULL;
}

/* Borrowed: where requests may go, redirects included; NULL: anywhere. */
static const char *allowed(const struct wf_run *run)
{
    const struct wf_settings *settings = &run->engine->settings;

    return *settings->http_domains != '\0' ? settings->http_domains
                                           : getenv("API_REQUEST_ALLOWED_DOMAINS");
}

/* New; NULL: the node has failed. */
static char *safe_url(struct wf_run *run, const char *url)
{
    struct bw_error err = { 0 };
    char *whole = NULL;
    int rc = web_policy_url(url, allowed(run), run->engine->settings.http_private, &whole,
                            &err);

    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK)
        (void)wf_node_fail(run, "Invalid or unsafe URL: %s", err.text);
    return whole;
}

/* Takes `body`. */
static void keep(struct wf_run *run, const char *url, const char *method, json_t *headers,
                 char *body, int64_t timeout_ms)
{
    json_decref(run->scratch);
    run->scratch = wf_must(json_object());
    wf_json_set_text(run->scratch, "url", url);
    wf_json_set_text(run->scratch, "method", method);
    if (body != NULL && !names_type(headers))
        wf_json_set_text(headers, "Content-Type", "application/json");
    wf_json_set(run->scratch, "headers", headers);
    if (body != NULL)
        wf_json_set_text(run->scratch, "body", body);
    wf_json_set(run->scratch, "timeout",
                json_integer(timeout_ms > 0 ? timeout_ms
                                            : run->engine->settings.http_timeout_ms));
    free(body);
}

static bool has_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

bool wf_fetch_prepare(struct wf_run *run, const struct wf_fetch_rules *rules)
{
    const json_t *config = run->node->config;
    const char *method = method_named(wf_member(config, "method", rules->method));
    double timeout = wf_value_number(json_object_get(config, "timeout"));
    char *url = wf_run_text(run, config, "url", NULL), *whole;
    json_t *headers;

    if (url == NULL || method == NULL) {
        if (url == NULL)
            (void)wf_node_fail(run, "%s", rules->missing);
        else
            (void)wf_node_fail(run, "Unsupported method: %s",
                               wf_member(config, "method", ""));
        free(url);
        return false;
    }
    whole = safe_url(run, url);
    free(url);
    headers = whole != NULL ? render_headers(run) : NULL;
    if (headers != NULL)
        keep(run, whole, method, headers,
             has_body(method) ? render_body(run, json_object_get(config, "body")) : NULL,
             timeout >= 1 && timeout < 1e7 ? (int64_t)timeout : rules->timeout_ms);
    free(whole);
    return headers != NULL;
}

bool wf_fetch_post(struct wf_run *run, const char *url, json_t *body, int64_t timeout_ms)
{
    char *whole = safe_url(run, url);

    if (whole != NULL)
        keep(run, whole, "POST", wf_must(json_object()), wf_dumps(body), timeout_ms);
    json_decref(body);
    free(whole);
    return whole != NULL;
}

/* --- headers */

static bool printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (iscntrl((unsigned char)*text) && *text != '\t')
            return false;
    }
    return true;
}

/* New reference; NULL: the node has failed. */
static json_t *render_headers(struct wf_run *run)
{
    const json_t *config = json_object_get(run->node->config, "headers");
    json_t *headers = wf_must(json_object()), *member;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)config, name, member)
    {
        json_t *value = wf_run_value(run, member);
        struct bw_buf text = BW_BUF_INIT;

        if (value != NULL && !json_is_null(value)) {
            wf_check(wf_value_text(value, &text));
            wf_json_set_text(headers, name, text.len > 0 ? bw_buf_text(&text) : "");
        }
        json_decref(value);
        bw_buf_fini(&text);
        if (strchr(name, ':') != NULL || !printable(name) ||
            !printable(wf_member(headers, name, ""))) {
            json_decref(headers);
            (void)wf_node_fail(run, "Invalid header: %s", name);
            return NULL;
        }
    }
    return headers;
}

static bool names_type(const json_t *headers)
{
    const char *name;
    json_t *member;

    json_object_foreach((json_t *)(uintptr_t)headers, name, member)
    {
        if (strcasecmp(name, "content-type") == 0)
            return true;
    }
    return false;
}

/* --- the body */

/* A text that looks like JSON keeps its form: what placeholders bring into its strings is
 * escaped. */
static char *render_json(struct wf_run *run, const char *text)
{
    struct wf_scope scope = wf_run_scope(run);
    struct bw_buf out = BW_BUF_INIT;
    const char *from = text, *at = text;
    bool quoted = false;
    char *piece, *result;

    while (*from != '\0') {
        while (*at != '\0' && *at != '"') {
            const char *end = at[0] == '{' && at[1] == '{' ? strstr(at, "}}") : NULL;

            if (end != NULL)
                at = end + 2; /* quotes of a filter's argument */
            else
                at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
        }
        piece = wf_alloc((size_t)(at - from) + 1);
        memcpy(piece, from, (size_t)(at - from));
        wf_check(wf_template_render(&scope, piece,
                                    quoted ? WF_ESCAPE_JSON : WF_ESCAPE_NONE, &out));
        free(piece);
        if (*at == '"') {
            wf_check(bw_buf_add_char(&out, *at++));
            quoted = !quoted;
        }
        from = at;
    }
    result = wf_strdup(out.len > 0 ? bw_buf_text(&out) : "");
    bw_buf_fini(&out);
    return result;
}

static char *render_body(struct wf_run *run, const json_t *config)
{
    const char *text = json_string_value(config);
    json_t *value;
    char *out;

    if (text != NULL) {
        size_t blank = strspn(text, " \t\r\n");

        if ((text[blank] == '{' && text[blank + 1] != '{') || text[blank] == '[')
            return render_json(run, text);
    }
    value = config != NULL ? wf_run_value(run, config) : NULL;
    if (value == NULL || json_is_null(value))
        out = NULL;
    else if (json_is_string(value))
        out = wf_strdup(json_string_value(value));
    else
        out = wf_dumps(value);
    json_decref(value);
    return out;
}

/* --- sending it */

static const char **header_lines(const json_t *headers)
{
    const char **lines = wf_alloc((json_object_size(headers) + 1) * sizeof(*lines));
    const char *name;
    json_t *member;
    size_t count = 0;

    json_object_foreach((json_t *)(uintptr_t)headers, name, member)
    {
        const char *value = json_string_value(member);

        /* curl's way to send a header without a value */
        lines[count++] =
            *value != '\0' ? wf_printf("%s: %s", name, value) : wf_printf("%s;", name);
    }
    return lines;
}

static void done(const struct web_answer *answer, void *arg)
{
    struct wf_run *run = arg;

    wf_under_way_over(run);
    run->work.fetched.outcome = answer->outcome;
    run->work.fetched.status = answer->status;
    free(run->work.fetched.body);
    run->work.fetched.body = wf_alloc(answer->len + 1);
    memcpy(run->work.fetched.body, answer->body, answer->len);
    run->work.fetched.len = answer->len;
    wf_set(&run->work.fetched.error, answer->error);
    wf_run_post(run, run->step);
}

void wf_fetch(struct wf_run *run, bool chosen, wf_step *then)
{
    const struct wf_effects *effects = run->engine->effects;
    const char **lines = header_lines(json_object_get(run->scratch, "headers"));
    const json_t *body = json_object_get(run->scratch, "body");
    int64_t timeout = json_integer_value(json_object_get(run->scratch, "timeout"));
    int64_t left = bw_mono_ms_until(wf_engine_mono(run->engine), run->deadline);
    struct web_request request = {
        .method = wf_member(run->scratch, "method", "GET"),
        .url = wf_member(run->scratch, "url", ""),
        .headers = lines,
        .body = json_string_value(body),
        .body_len = json_string_length(body),
        .timeout_ms = timeout < left ? timeout : left,
        .max_body = (size_t)run->engine->settings.http_max_body,
        .domains = allowed(run),
        .any_address = run->engine->settings.http_private,
        .chosen = chosen,
    };

    if (request.timeout_ms < 1)
        request.timeout_ms = 1;
    run->step = then;
    run->effect = run->attempt.left = true;
    wf_under_way_lock(run);
    wf_under_way_begun(run, WF_CALL_HTTP,
                       effects->http(effects->arg, &request, done, run));
    for (size_t i = 0; lines[i] != NULL; i++)
        free((char *)(uintptr_t)lines[i]);
    free(lines);
}

/* --- the answer */

bool wf_fetch_ok(const struct wf_run *run)
{
    return run->work.fetched.outcome == WEB_ANSWERED && run->work.fetched.status >= 200 &&
           run->work.fetched.status < 300;
}

enum wf_action wf_fetch_fail(struct wf_run *run)
{
    if (run->work.fetched.outcome == WEB_UNSAFE)
        return wf_node_fail(run, "Invalid or unsafe URL: %s", run->work.fetched.error);
    if (run->work.fetched.outcome == WEB_FAILED)
        return wf_node_fail(run, "Request failed: %s", run->work.fetched.error);
    return wf_node_fail(run, "Request failed with status code %d",
                        run->work.fetched.status);
}

json_t *wf_fetch_value(const struct wf_run *run)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of byte order: no part of the text */
    const char *body = run->work.fetched.body;
    size_t len = run->work.fetched.len;
    json_t *value;

    if (len >= 3 && memcmp(body, mark, 3) == 0) {
        body += 3;
        len -= 3;
    }
    value = wk_json_read(body, len, JSON_DECODE_ANY, NULL);
    if (value != NULL)
        return value;
    return len > 0 ? wf_must(wk_json_text(body, len)) : json_null();
}

void wf_fetch_log(struct wf_run *run, const json_t *output)
{
    json_t *columns = wf_must(json_object());
    json_t *input = wf_must(json_copy(run->scratch)), *answer = wf_must(json_object());

    (void)json_object_del(input, "timeout");
    wf_json_set(columns, "http_request", wf_must(json_copy(input)));
    (void)json_object_del(input, "headers");
    wf_json_set(columns, "input_data", input);
    if (run->work.fetched.outcome == WEB_ANSWERED)
        wf_json_set(answer, "status", json_integer(run->work.fetched.status));
    else
        wf_json_set_text(answer, "error", run->work.fetched.error);
    if (output != NULL) {
        wf_json_set(answer, "body", json_incref((json_t *)(uintptr_t)output));
        wf_json_set(columns, "output_data", json_incref((json_t *)(uintptr_t)output));
    }
    wf_json_set(columns, "http_response", answer);
    json_decref(run->out.columns);
    run->out.columns = columns;
}
