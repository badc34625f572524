/* worker/workflow/spec/workflow.md §6.1, §6.3. */
#include "workflow/authoring/check/check_template.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/names.h"
#include "workflow/base/mem.h"
#include "workflow/language/expression/names.h"
#include "workflow/language/filter.h"
#include "workflow/language/path.h"
#include "workflow/language/template.h"

/* What a path never gives away (§6.3). */
static const char *const secrets[] = {
    "telegram.botToken",   "context.telegram.botToken", "project.botToken",
    "project.maxBotToken", "project.webhookSecret",     "context.services",
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Signs that no name has: somebody wanted to compute. */
static bool is_computed(const struct wf_path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        for (size_t j = 0; j < path->segments[i].len; j++) {
            if (strchr(" \t+*/%=<>!?&(),;\"'", path->segments[i].data[j]) != NULL)
                return true;
        }
    }
    return false;
}

/* Whether it is one, which is said then. */
static bool check_secret(const struct wf_site *site, const char *field,
                         struct wf_text path)
{
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (!wf_text_equal(path, wf_text_of(secrets[i])))
            continue;
        wf_site_problem(site, field, "wrong template: %s is secret, always empty",
                        secrets[i]);
        return true;
    }
    return false;
}

static char *segment(const struct wf_path *path, size_t index)
{
    return wf_printf("%.*s", (int)path->segments[index].len, path->segments[index].data);
}

static void unknown_name(const struct wf_site *site, const char *field,
                         struct wf_text path, const char *name, const char *near)
{
    if (near != NULL)
        wf_site_problem(site, field,
                        "unknown name: nothing sets \"%s\" of \"%.*s\", did you mean "
                        "\"%s\"?",
                        name, (int)path.len, path.data, near);
    else
        wf_site_problem(site, field, "unknown name: nothing sets \"%s\" of \"%.*s\"",
                        name, (int)path.len, path.data);
}

/* One step into `shape`, which may be NULL: nothing is known of what comes. */
static const json_t *step(const struct wf_site *site, const char *field,
                          struct wf_text text, const struct wf_path *path, size_t index,
                          const json_t *shape)
{
    char *name = segment(path, index);
    const json_t *inner = json_object_get(shape, name);
    bool open = index == 0 || json_object_get(shape, "*") != NULL;
    const char *near;

    if (inner == NULL && json_is_object(shape) && json_object_size(shape) > 0 &&
        !path->index[index] && strcmp(name, "length") != 0) {
        near = wf_names_near(name, shape, open);
        if (near != NULL || !open)
            unknown_name(site, field, text, name, near);
    }
    free(name);
    return inner;
}

static void check_names(const struct wf_site *site, const char *field,
                        struct wf_text text, const struct wf_path *path)
{
    const json_t *shape = site->names->roots;

    for (size_t i = 0; shape != NULL && i < path->count; i++)
        shape = step(site, field, text, path, i, shape);
}

void wf_check_path(const struct wf_site *site, const char *field, struct wf_text text)
{
    struct wf_text path = wf_text_trim(text);
    struct wf_path parsed;

    if (!wf_path_parse(&parsed, text) || is_computed(&parsed)) {
        wf_site_problem(site, field, "wrong template: \"%.*s\" is no path", (int)path.len,
                        path.data);
        return;
    }
    if (!check_secret(site, field, path) && site->names != NULL)
        check_names(site, field, path, &parsed);
}

struct names_of { /* an expression's, on their way to be looked at */
    const struct wf_site *site;
    const char *field;
};

static void check_name(void *arg, struct wf_text path)
{
    const struct names_of *names = arg;

    wf_check_path(names->site, names->field, path);
}

void wf_check_expression(const struct wf_site *site, const char *field,
                         const json_t *value, const char *arg)
{
    struct names_of names = { site, field };
    struct bw_error err = { 0 };
    int rc;

    (void)arg;
    if (!json_is_string(value)) {
        wf_site_problem(site, field, "an expression expected");
        return;
    }
    rc = wf_expression_names(json_string_value(value), check_name, &names, &err);
    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK)
        wf_site_problem(site, field, "bad expression: %s", err.text);
}

static void check_expression(const struct wf_site *site, const char *field,
                             const char *data, size_t len)
{
    char *text = wf_printf("%.*s", (int)len, data);
    json_t *value = wf_text(text);

    wf_check_expression(site, field, value, NULL);
    json_decref(value);
    free(text);
}

static void check_content(const struct wf_site *site, const char *field,
                          struct wf_text content)
{
    const char *bar = wf_template_filter(content);
    size_t path_len = bar != NULL ? (size_t)(bar - content.data) : content.len;
    struct wf_text unknown;

    if (wf_template_is_expression((struct wf_text){ content.data, path_len }))
        check_expression(site, field, content.data, path_len);
    else
        wf_check_path(site, field, (struct wf_text){ content.data, path_len });
    if (bar == NULL)
        return;
    if (!wf_filter_known((struct wf_text){ bar + 1, content.len - path_len - 1 },
                         &unknown))
        wf_site_problem(site, field, "wrong template: unknown filter \"%.*s\"",
                        (int)unknown.len, unknown.data);
}

/* `text` starts with "{{". Returns how much of it was looked at. */
static size_t check_placeholder(const struct wf_site *site, const char *field,
                                const char *text)
{
    const char *end = strstr(text + 2, "}}");
    struct wf_text content;

    if (end == NULL) {
        wf_site_problem(site, field, "wrong template: \"{{\" without \"}}\"");
        return strlen(text);
    }
    content = (struct wf_text){ text + 2, (size_t)(end - text - 2) };
    if (strcspn(content.data, "{}\n") < content.len)
        wf_site_problem(site, field,
                        "wrong template: braces or a line end inside \"{{…}}\"");
    else if (wf_text_units(content) > WF_PATH_CHARS)
        wf_site_problem(site, field, "wrong template: over %d characters in \"{{…}}\"",
                        WF_PATH_CHARS);
    else
        check_content(site, field, content);
    return content.len + strlen("{{}}");
}

/* The name of `{name}`, which `text` starts with; it stays as it is where nobody knows
 * it, so only what was meant to be known is a problem. */
static void check_flat(const struct wf_site *site, const char *field, const char *text)
{
    size_t len = strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_.");
    char *name;
    const char *near;

    if (site->names == NULL || len == 0 || text[len + 1] != '}' || is_digit(text[1]))
        return;
    name = wf_printf("%.*s", (int)len, text + 1);
    if (json_object_get(site->names->flat, name) == NULL) {
        bool of_customer = strncmp(name, "user.", strlen("user.")) == 0;

        near = wf_names_near(name, site->names->flat, !of_customer);
        if (near != NULL)
            wf_site_problem(site, field,
                            "unknown name: {%s} is left as it is, did you mean {%s}?",
                            name, near);
        else if (of_customer)
            wf_site_problem(site, field, "unknown name: {%s} is left as it is", name);
    }
    free(name);
}

void wf_check_template(const struct wf_site *site, const char *field, const char *text)
{
    const char *at = text;

    while ((at = strchr(at, '{')) != NULL) {
        if (at[1] == '{') {
            at += check_placeholder(site, field, at);
        } else {
            check_flat(site, field, at);
            at++;
        }
    }
}

void wf_check_templates(const struct wf_site *site, const char *field,
                        const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    if (json_is_string(value))
        wf_check_template(site, field, json_string_value(value));
    json_array_foreach(value, i, member)
    {
        char *inner = wf_printf("%s[%zu]", field, i);

        wf_check_templates(site, inner, member);
        free(inner);
    }
    json_object_foreach((json_t *)value, key, member)
    {
        char *inner = wf_printf("%s.%s", field, key);

        wf_check_templates(site, inner, member);
        free(inner);
    }
}

/* The language takes `x`, `{x}` and `{{x}}`. */
void wf_check_operand(const struct wf_site *site, const char *field, const json_t *value,
                      const char *arg)
{
    const char *text = json_string_value(value);

    (void)arg;
    if (text == NULL)
        wf_site_problem(site, field, "a variable's name expected");
    else if (strpbrk(text, "{}") != NULL)
        wf_check_template(site, field, text);
    else
        wf_check_path(site, field, wf_text_of(text));
}
