/* An expression. */
#include "fuzz.h"

#include <stdlib.h>

#include "fuzz_scope.h"
#include "workflow/language/expression/expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wf_scope scope = fuzz_scope();
    char *text = strndup((const char *)data, size);
    struct bw_error err;
    json_t *out = NULL;

    if (text == NULL)
        return 0;
    if (wf_expression(&scope, text, &out, &err) != BW_OK &&
        strncmp(err.text, "Condition evaluation failed: ", 29) != 0)
        abort();
    json_decref(out);
    free(text);
    return 0;
}
