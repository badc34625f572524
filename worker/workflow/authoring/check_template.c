/* §6.1, §6.3. */
#include "workflow/authoring/check.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/filter.h"
#include "workflow/mem.h"
#include "workflow/path.h"

/* What a path never gives away (§6.3). */
static const char *const secrets[] = {
    "telegram.botToken",   "context.telegram.botToken", "project.botToken",
    "project.maxBotToken", "project.webhookSecret",     "context.services",
};

static void check_path(const struct wf_site *site, const char *field, struct wf_text text)
{
    struct wf_text path = wf_text_trim(text);
    struct wf_path parsed;

    if (!wf_path_parse(&parsed, text)) {
        wf_site_problem(site, field, "wrong template: \"%.*s\" is no path", (int)path.len,
                        path.data);
        return;
    }
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (wf_text_equal(path, wf_text_of(secrets[i])))
            wf_site_problem(site, field, "wrong template: %s is secret, always empty",
                            secrets[i]);
    }
}

static void check_content(const struct wf_site *site, const char *field,
                          struct wf_text content)
{
    const char *bar = memchr(content.data, '|', content.len);
    size_t path_len = bar != NULL ? (size_t)(bar - content.data) : content.len;
    struct wf_text unknown;

    check_path(site, field, (struct wf_text){ content.data, path_len });
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

void wf_check_template(const struct wf_site *site, const char *field, const char *text)
{
    const char *at = text;

    while ((at = strstr(at, "{{")) != NULL)
        at += check_placeholder(site, field, at);
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
        check_path(site, field, wf_text_of(text));
}
