#include "workflow/run/referral_link.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "workflow/base/mem.h"

/* `application/x-www-form-urlencoded` */
static void add_encoded(struct bw_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || strchr("*-._", c) != NULL)
            wf_check(bw_buf_add_char(out, (char)c));
        else if (c == ' ')
            wf_check(bw_buf_add_char(out, '+'));
        else
            wf_check(bw_buf_addf(out, "%%%02X", c));
    }
}

/* With a scheme, and with a path if it is only "/". */
static void add_base(struct bw_buf *out, const char *domain)
{
    size_t len;

    if (domain == NULL || *domain == '\0')
        domain = "example.com";
    len = strlen(domain);
    if (strstr(domain, "://") == NULL)
        wf_check(bw_buf_add_str(out, "https://"));
    wf_check(bw_buf_add(out, domain, domain[len - 1] == '/' ? len - 1 : len));
    if (strpbrk(strstr(bw_buf_text(out), "://") + 3, "/?") == NULL)
        wf_check(bw_buf_add_char(out, '/'));
}

char *wf_referral_link(const char *domain, const char *user_id, const char *slug,
                       const json_t *more)
{
    struct bw_buf out = BW_BUF_INIT;
    json_t *params = wf_must(json_object()), *value;
    const char *key;
    char before;

    wf_json_set_text(params, "utm_ref", user_id);
    if (slug != NULL)
        wf_json_set_text(params, "utm_org", slug);
    json_object_foreach((json_t *)(uintptr_t)more, key, value)
    {
        wf_json_set(params, key, json_incref(value));
    }
    add_base(&out, domain);
    before = strchr(bw_buf_text(&out), '?') != NULL ? '&' : '?';
    json_object_foreach(params, key, value)
    {
        wf_check(bw_buf_add_char(&out, before));
        before = '&';
        add_encoded(&out, key);
        wf_check(bw_buf_add_char(&out, '='));
        add_encoded(&out,
                    json_string_value(value) != NULL ? json_string_value(value) : "");
    }
    json_decref(params);
    return bw_buf_take(&out);
}
