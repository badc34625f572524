#include "workflow/nodes/query/param.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/value.h"
#include "workflow/run/io.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/nodes/wait.h"

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

enum wf_action wf_query_wait_contact(struct wf_run *run)
{
    json_t *payload = wf_wait_payload(run, NULL, "waiting for a contact");

    wf_json_set_text(payload, "resume", "self");
    return wf_node_wait(run, WF_WAIT_CONTACT, payload);
}

enum wf_action wf_query_no_user(struct wf_run *run, const char *user_id)
{
    return wf_node_fail(run, "User not found: %s", user_id != NULL ? user_id : "");
}
