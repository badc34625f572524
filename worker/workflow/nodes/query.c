/* action.database_query. worker/workflow/spec/workflow.md §5.3.1 */
#include "workflow/nodes/query.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/value.h"
#include "workflow/nodes/nodes.h"

static const struct wf_query queries[] = {
    { "check_user_by_platform", wf_query_by_platform },
    { "check_user_by_telegram", wf_query_by_platform },
    { "create_user", wf_query_create_user },
    { "add_bonus", wf_query_add_bonus },
    { "spend_bonus", wf_query_spend_bonus },
    { "get_user_balance", wf_query_balance },
    { "update_user", wf_query_update_user },
    { "get_transactions", wf_query_transactions },
    { "get_user_stats", wf_query_stats },
    { "get_user_profile", wf_query_profile },
    { "get_referral_link", wf_query_referral_link },
    { "check_user_by_contact", wf_query_by_contact },
    { "activate_user", wf_query_activate_user },
    { "check_welcome_bonus", wf_query_welcomed },
    { "update_user_contact", wf_query_update_contact },
    { "update_user_birthday", wf_query_update_birthday },
    { "get_user_metadata", wf_query_get_metadata },
    { "update_user_metadata", wf_query_update_metadata },
};

#define QUERY_COUNT (sizeof(queries) / sizeof(queries[0]))

/* --- parameters */

char *wf_param(const struct wf_run *run, const char *name)
{
    const json_t *value = json_object_get(run->scratch, name);
    struct bw_buf out = BW_BUF_INIT;
    char *start, *text;
    size_t len;

    if (!json_is_string(value) && !json_is_number(value))
        return NULL;
    wf_check(wf_value_text(value, &out));
    start = out.data != NULL ? out.data : (char[]){ "" };
    start += strspn(start, " \t\r\n");
    len = strlen(start);
    while (len > 0 && strchr(" \t\r\n", start[len - 1]) != NULL)
        len--;
    text = len > 0 ? wf_printf("%.*s", (int)len, start) : NULL;
    bw_buf_fini(&out);
    return text;
}

static char *param_or_member(const struct wf_run *run, const char *name,
                             const char *member)
{
    const json_t *value = json_object_get(run->scratch, name);

    if (json_is_object(value)) {
        const char *text = wf_member(value, member, "");

        return *text != '\0' ? wf_strdup(text) : NULL;
    }
    return wf_param(run, name);
}

char *wf_param_id(const struct wf_run *run, const char *name)
{
    return param_or_member(run, name, "id");
}

char *wf_param_phone(const struct wf_run *run, const char *name)
{
    return param_or_member(run, name, "phoneNumber");
}

char *wf_param_messenger_id(const struct wf_run *run, const char *name)
{
    char *text = wf_param(run, name);

    if (wf_db_bigint(text) == NULL) {
        free(text);
        text = NULL;
    }
    return text;
}

bool wf_param_is_max(const struct wf_run *run)
{
    return strcmp(wf_member(run->scratch, "platform", "telegram"), "max") == 0;
}

static void add_form(struct bw_buf *out, const char *before, const char *digits)
{
    if (out->len > 1)
        wf_check(bw_buf_add_char(out, ','));
    wf_check(bw_buf_addf(out, "\"%s%s\"", before, digits));
}

/* As given is only safe inside of the array's quotes when it has none. */
static void add_given(struct bw_buf *out, const char *phone)
{
    if (strpbrk(phone, "\"\\") == NULL)
        add_form(out, "", phone);
}

char *wf_phone_forms(const char *phone)
{
    struct bw_buf out = BW_BUF_INIT;
    char digits[32];
    size_t len = 0;

    if (phone == NULL)
        return NULL;
    for (const char *at = phone; *at != '\0' && len + 1 < sizeof(digits); at++) {
        if (*at >= '0' && *at <= '9')
            digits[len++] = *at;
    }
    digits[len] = '\0';
    wf_check(bw_buf_add_char(&out, '{'));
    add_given(&out, phone);
    if (len > 0) {
        add_form(&out, "+", digits);
        add_form(&out, "", digits);
    }
    if (len == 11 && digits[0] == '8') {
        add_form(&out, "+7", digits + 1);
        add_form(&out, "7", digits + 1);
    } else if (len == 11 && digits[0] == '7') {
        add_form(&out, "8", digits + 1);
    }
    if (len > 10)
        add_form(&out, "", digits + len - 10);
    wf_check(bw_buf_add_char(&out, '}'));
    return bw_buf_take(&out);
}

/* --- results */

static void map_results(struct wf_run *run, const json_t *result)
{
    const json_t *mapping = json_object_get(run->node->config, "resultMapping");
    const char *key;
    json_t *variable;

    json_object_foreach((json_t *)(uintptr_t)mapping, key, variable)
    {
        const json_t *member = json_object_get(result, key);

        if (json_is_string(variable) && member != NULL)
            wf_run_set(run, json_string_value(variable),
                       json_incref((json_t *)(uintptr_t)member), 0);
    }
}

enum wf_action wf_query_result(struct wf_run *run, json_t *result)
{
    const char *assign = wf_run_assign(run->node, NULL);

    if (result == NULL)
        result = json_null();
    map_results(run, result);
    if (assign != NULL)
        wf_run_set(run, assign, json_incref(result), 0);
    json_decref(result);
    return wf_node_next();
}

enum wf_action wf_query_result_cell(struct wf_run *run, size_t index, size_t column)
{
    return wf_query_result(run, wf_loads(wf_db_value(run, index, 0, column)));
}

enum wf_action wf_query_no_user(struct wf_run *run, const char *user_id)
{
    return wf_node_fail(run, "User not found: %s", user_id != NULL ? user_id : "");
}

/* --- the node */

static enum wf_action refuse(struct wf_run *run, const char *name)
{
    struct bw_buf list = BW_BUF_INIT;
    enum wf_action action;

    for (size_t i = 0; i < QUERY_COUNT; i++)
        wf_check(bw_buf_addf(&list, "%s%s", i > 0 ? ", " : "", queries[i].name));
    action = wf_node_fail(run, "Unauthorized query type: %s. Available queries: %s", name,
                          bw_buf_text(&list));
    bw_buf_fini(&list);
    return action;
}

static const struct wf_query *find(const char *name)
{
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        if (strcmp(queries[i].name, name) == 0)
            return &queries[i];
    }
    return NULL;
}

bool wf_query_known(const char *name)
{
    return find(name) != NULL;
}

const char *wf_query_name(const void *arg, size_t index)
{
    (void)arg;
    return index < QUERY_COUNT ? queries[index].name : NULL;
}

enum wf_action wf_start_query(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *name = wf_member(config, "query", "");
    const json_t *params = json_object_get(config, "parameters");
    const struct wf_query *query = find(name);

    if (*name == '\0')
        return wf_node_fail(run, "Query type is required");
    if (query == NULL)
        return refuse(run, name);
    json_decref(run->scratch);
    run->scratch =
        wf_run_value(run, params != NULL ? params : json_object_get(config, "params"));
    if (!json_is_object(run->scratch)) {
        json_decref(run->scratch);
        run->scratch = wf_must(json_object());
    }
    wf_json_set_text(run->scratch, "projectId", run->project_id); /* never another's */
    if (json_object_get(run->scratch, "platform") == NULL)
        wf_json_set_text(run->scratch, "platform", "telegram");
    return query->start(run);
}
