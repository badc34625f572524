/* A template text: rendered with every escape, as a typed value, as an operand, as a
 * condition's parts. */
#include "fuzz.h"

#include <stdlib.h>

#include "fuzz_scope.h"
#include "workflow/language/condition.h"
#include "workflow/language/template.h"

static void render(const struct wf_scope *scope, const char *text)
{
    for (int escape = WF_ESCAPE_NONE; escape <= WF_ESCAPE_MARKDOWN_V2; escape++) {
        struct bw_buf out = BW_BUF_INIT;

        if (wf_template_render(scope, text, (enum wf_escape)escape, &out) != BW_OK)
            abort();
        bw_buf_fini(&out);
    }
}

static void compare(const struct wf_scope *scope, const char *text)
{
    json_t *config = json_pack("{s:s, s:s, s:s}", "variable", text, "operator",
                               "contains", "value", text);
    json_t *out;
    bool result;

    if (config == NULL) /* no UTF-8 */
        return;
    if (wf_template_value(scope, config, &out) == BW_OK)
        json_decref(out);
    (void)!wf_condition(scope, config, text, &result,
                        NULL); /* an error is an answer, too */
    json_decref(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_scope scope = fuzz_scope();
    char *text = strndup((const char *)data, size);
    json_t *out;

    if (text == NULL)
        return 0;
    render(&scope, text);
    compare(&scope, text);
    if (wf_operand_value(&scope, text, &out) == BW_OK)
        json_decref(out);
    free(text);
    return 0;
}
