/* `bulwark workflow nodes`: the types of nodes, from the table that validation reads. */
#include <stdlib.h>
#include <string.h>

#include "command/command_nodes.h"
#include "base/exit_code.h"
#include "command/command.h"
#include "base/nearest.h"
#include "workflow/authoring/node_list.h"
#include "workflow/base/mem.h"

static const char *type_at(const void *arg, size_t index)
{
    (void)arg;
    return wf_node_list_type(index);
}

static bool is_known(const char *type)
{
    for (size_t i = 0; type_at(NULL, i) != NULL; i++) {
        if (strcmp(type_at(NULL, i), type) == 0)
            return true;
    }
    return false;
}

static int unknown(const char *type)
{
    const char *near = wk_nearest(type, type_at, NULL);
    struct bw_error err;

    (void)bw_error_set(&err, BW_EINVAL, "unknown type \"%.64s\"%s%s%s", type,
                       near != NULL ? ", did you mean \"" : "", near != NULL ? near : "",
                       near != NULL ? "\"?" : "");
    return wk_complain(&err);
}

int wk_workflow_nodes(const struct wk_workflow_options *options)
{
    const char *type = options->argc > 1 ? options->argv[1] : NULL;
    struct bw_buf out = BW_BUF_INIT;
    struct bw_error err;
    int code;

    if (options->argc > 2 || (type != NULL && options->schema)) {
        (void)bw_error_set(&err, BW_EINVAL,
                           "workflow nodes: [--json] [TYPE] or --schema expected");
        return wk_complain(&err);
    }
    if (type != NULL && !is_known(type))
        return unknown(type);
    if (options->schema)
        return wk_workflow_print(wf_node_schema());
    if (options->json)
        return wk_workflow_print(wf_node_list(type));
    wf_node_list_text(type, &out);
    code = wk_print(bw_buf_text(&out));
    bw_buf_fini(&out);
    return code == WK_EXIT_OK ? WK_EXIT_OK : WK_EXIT_USAGE;
}
