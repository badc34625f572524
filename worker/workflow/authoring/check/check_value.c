#include "workflow/authoring/check/check_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bulwark/cron.h>

#include "base/nearest.h"
#include "web/policy.h"
#include "workflow/authoring/check/check_template.h"
#include "workflow/authoring/check/fields.h"
#include "workflow/base/mem.h"
#include "workflow/language/condition.h"
#include "workflow/language/expression/names.h"
#include "workflow/language/pattern.h"
#include "workflow/language/schedule.h"
#include "workflow/language/value.h"
#include "workflow/nodes/query/query.h"

static bool has_placeholder(const char *text)
{
    return strstr(text, "{{") != NULL;
}

/* The word of a list "a|b|c" at `*at`, which is moved behind it; false: no more. */
static bool next_word(const char **at, struct wf_text *word)
{
    size_t len;

    if (*at == NULL)
        return false;
    len = strcspn(*at, "|");
    *word = (struct wf_text){ *at, len };
    *at = (*at)[len] == '|' ? *at + len + 1 : NULL;
    return true;
}

static bool is_among(const char *text, const char *list, bool nocase)
{
    struct wf_text word;

    while (next_word(&list, &word)) {
        if (strlen(text) == word.len &&
            (nocase ? strncasecmp(text, word.data, word.len)
                    : strncmp(text, word.data, word.len)) == 0)
            return true;
    }
    return false;
}

/* --- texts and plain JSON */

void wf_check_text(const struct wf_site *site, const char *field, const json_t *value,
                   const char *arg)
{
    (void)arg;
    if (json_is_string(value))
        wf_check_template(site, field, json_string_value(value));
    else if (!json_is_number(value))
        wf_site_problem(site, field, "a text expected");
}

void wf_check_literal(const struct wf_site *site, const char *field, const json_t *value,
                      const char *arg)
{
    (void)arg;
    if (!json_is_string(value))
        wf_site_problem(site, field, "a text expected");
    else if (has_placeholder(json_string_value(value)))
        wf_site_problem(site, field, "wrong template: this text is taken as it is");
}

void wf_check_any(const struct wf_site *site, const char *field, const json_t *value,
                  const char *arg)
{
    (void)arg;
    wf_check_templates(site, field, value);
}

void wf_check_keyboard_member(const struct wf_site *site, const char *field,
                              const json_t *value, const char *arg)
{
    (void)site;
    (void)field;
    (void)value;
    (void)arg;
}

void wf_check_object(const struct wf_site *site, const char *field, const json_t *value,
                     const char *arg)
{
    (void)arg;
    if (json_is_object(value))
        wf_check_templates(site, field, value);
    else
        wf_site_problem(site, field, "an object expected");
}

void wf_check_array(const struct wf_site *site, const char *field, const json_t *value,
                    const char *arg)
{
    (void)arg;
    if (json_is_array(value))
        wf_check_templates(site, field, value);
    else
        wf_site_problem(site, field, "an array expected");
}

void wf_check_number(const struct wf_site *site, const char *field, const json_t *value,
                     const char *arg)
{
    const char *text = json_string_value(value);
    double least = 0, most = HUGE_VAL, number;
    char *rest;

    if (text != NULL && has_placeholder(text)) {
        wf_check_template(site, field, text);
        return;
    }
    if (arg != NULL) {
        least = strtod(arg, &rest);
        most = *rest != '\0' ? strtod(rest, NULL) : HUGE_VAL;
    }
    number = json_is_number(value) || text != NULL ? wf_value_number(value) : NAN;
    if (isnan(number))
        wf_site_problem(site, field, "a number expected");
    else if (number < least)
        wf_site_problem(site, field, "%.15g or more expected", least);
    else if (number > most)
        wf_site_problem(site, field, "at most %.15g expected", most);
}

void wf_check_flag(const struct wf_site *site, const char *field, const json_t *value,
                   const char *arg)
{
    (void)arg;
    if (!json_is_boolean(value))
        wf_site_problem(site, field, "true or false expected");
}

static void check_words(const struct wf_site *site, const char *field,
                        const json_t *value, const char *list, bool nocase)
{
    const char *text = json_string_value(value);

    if (text != NULL && has_placeholder(text))
        wf_check_template(site, field, text);
    else if (text == NULL)
        wf_site_problem(site, field, "one of %s expected", list);
    else if (!is_among(text, list, nocase))
        wf_site_problem(site, field, "\"%.60s\" is none of %s", text, list);
}

void wf_check_one_of(const struct wf_site *site, const char *field, const json_t *value,
                     const char *arg)
{
    check_words(site, field, value, arg, false);
}

void wf_check_method(const struct wf_site *site, const char *field, const json_t *value,
                     const char *arg)
{
    (void)arg;
    check_words(site, field, value, WF_METHODS, true);
}

/* --- conditions */

static void unknown_operator(const struct wf_site *site, const char *field,
                             const char *name)
{
    const char *near = wk_nearest(name, wf_condition_operator_name, NULL);

    if (near != NULL)
        wf_site_problem(site, field, "Unknown operator: %.60s, did you mean \"%s\"?",
                        name, near);
    else
        wf_site_problem(site, field, "Unknown operator: %.60s", name);
}

void wf_check_operator(const struct wf_site *site, const char *field, const json_t *value,
                       const char *arg)
{
    const char *name = json_string_value(value);

    (void)arg;
    if (name == NULL || !wf_condition_operator_known(name))
        unknown_operator(site, field, name != NULL ? name : "");
}

void wf_check_pattern(const struct wf_site *site, const char *field, const json_t *value,
                      const char *arg)
{
    struct wf_pattern *pattern = NULL;

    (void)arg;
    if (!json_is_string(value)) {
        wf_site_problem(site, field, "a regular expression expected");
        return;
    }
    wf_check(wf_pattern_create(&pattern, json_string_value(value), false));
    if (pattern == NULL)
        wf_site_problem(site, field,
                        "never matches: the pattern is wrong, over 500 characters, or "
                        "nests repetitions");
    wf_pattern_destroy(&pattern);
}

void wf_check_cases(const struct wf_site *site, const char *field, const json_t *value,
                    const char *arg)
{
    size_t i;
    json_t *item;

    wf_check_array(site, field, value, arg);
    json_array_foreach(value, i, item)
    {
        const char *jump = wf_member(item, "gotoNode", "");
        char *inner = wf_printf("%s[%zu]", field, i);

        if (json_object_get(item, "value") == NULL)
            wf_site_problem(site, inner, "the case has no value");
        free(inner);
        inner = wf_printf("%s[%zu].gotoNode", field, i);
        if (*jump != '\0')
            wf_check_node_id(site, inner, jump);
        free(inner);
    }
}

/* --- names of other things */

void wf_check_url(const struct wf_site *site, const char *field, const json_t *value,
                  const char *arg)
{
    const char *text = json_string_value(value);
    struct bw_error err = { 0 };
    char *url = NULL;
    int rc;

    (void)arg;
    if (text == NULL) {
        wf_site_problem(site, field, "a URL expected");
        return;
    }
    wf_check_template(site, field, text);
    if (strchr(text, '{') != NULL)
        return; /* known only when it runs */
    /* which addresses are allowed is the operator's to say */
    rc = web_policy_url(text, NULL, true, &url, &err);
    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK)
        wf_site_problem(site, field, "Invalid or unsafe URL: %s", err.text);
    free(url);
}

void wf_check_query(const struct wf_site *site, const char *field, const json_t *value,
                    const char *arg)
{
    const char *name = json_string_value(value);

    (void)arg;
    if (name == NULL || !wf_query_known(name))
        wf_site_unknown(site, field, "unknown query", name != NULL ? name : "",
                        wf_query_name);
}

void wf_check_node_id(const struct wf_site *site, const char *field, const char *id)
{
    if (strchr(id, '{') != NULL)
        wf_check_template(site, field, id);
    else if (wf_graph_find(site->graph, id) == NULL)
        wf_site_problem(site, field, "missing target \"%s\"", id);
}

void wf_check_target(const struct wf_site *site, const char *field, const json_t *value,
                     const char *arg)
{
    (void)arg;
    if (json_is_string(value))
        wf_check_node_id(site, field, json_string_value(value));
    else
        wf_site_problem(site, field, "a node's id expected");
}

/* --- schedules */

void wf_check_cron(const struct wf_site *site, const char *field, const json_t *value,
                   const char *arg)
{
    const char *text = json_string_value(value);
    struct bw_error err = { 0 };
    struct wf_cron cron;

    (void)arg;
    if (text == NULL)
        wf_site_problem(site, field, "a text of five fields expected");
    else if (wf_cron_parse(&cron, text, &err) != BW_OK)
        wf_site_problem(site, field, "bad cron: %s", err.text);
}

void wf_check_zone(const struct wf_site *site, const char *field, const json_t *value,
                   const char *arg)
{
    const char *name = json_string_value(value);
    int32_t ahead;
    int rc = BW_EINVAL;

    (void)arg;
    if (name != NULL)
        rc = bw_cron_offset(name, 0, &ahead, NULL);
    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK)
        wf_site_problem(site, field, "unknown time zone \"%.60s\"",
                        name != NULL ? name : "");
}

/* The audience alone: the other members have rows of their own. */
void wf_check_audience(const struct wf_site *site, const char *field, const json_t *value,
                       const char *arg)
{
    json_t *config = wf_must(json_object());
    struct wf_schedule schedule;
    struct bw_error err = { 0 };

    (void)arg;
    wf_json_set_text(config, "cron", "* * * * *");
    wf_json_set(config, "audience", json_incref((json_t *)value));
    if (wf_schedule_read(&schedule, config, &err) != BW_OK)
        wf_site_problem(site, field, "%s", err.text);
    json_decref(config);
}
