#include "command/workflow_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_code.h"
#include "command/command.h"
#include "json/read.h"
#include "workflow/base/mem.h"

json_t *wk_workflow_read(const char *path, struct bw_error *err)
{
    json_error_t at;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    json_t *value;

    if (file == NULL) {
        (void)bw_error_set(err, BW_EINVAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    value = wk_json_read_file(file, JSON_DECODE_ANY, &at);
    if (file != stdin)
        (void)fclose(file); /* it was only read */

    if (value == NULL && at.line < 1)
        (void)bw_error_set(err, BW_EINVAL, "%s: %s", path, at.text);
    else if (value == NULL)
        (void)bw_error_set(err, BW_EINVAL, "%s: line %d, column %d: %s", path, at.line,
                           at.column, at.text);
    return value;
}

int wk_workflow_inputs(const struct wk_workflow_options *options, const char *expected,
                       json_t **workflow, json_t **state, struct bw_error *err)
{
    if (options->argc != 2)
        return bw_error_set(err, BW_EINVAL, "%s", expected);
    *workflow = wk_workflow_read(options->argv[1], err);
    if (*workflow == NULL)
        return err->code;
    if (options->state != NULL) {
        *state = wk_workflow_read(options->state, err);
        if (*state == NULL)
            return err->code;
    }
    return BW_OK;
}

int wk_workflow_print(json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(1)), *line;
    int code;

    wf_check(text != NULL ? BW_OK : BW_ENOMEM);
    line = wf_printf("%s\n", text);
    code = wk_print(line);
    free(line);
    free(text);
    json_decref(value);
    return code == WK_EXIT_OK ? WK_EXIT_OK : WK_EXIT_USAGE;
}
