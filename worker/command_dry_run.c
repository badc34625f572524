/* `bulwark workflow run`: a dry run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command_workflow.h"
#include "exit_code.h"
#include "workflow/authoring/check.h"
#include "workflow/authoring/dry_run.h"
#include "workflow/authoring/picture.h"
#include "workflow/authoring/trace.h"
#include "workflow/mem.h"

struct inputs {
    json_t *workflow, *state;
    json_t *updates; /* one after the other */
};

static void inputs_fini(struct inputs *inputs)
{
    json_decref(inputs->workflow);
    json_decref(inputs->state);
    json_decref(inputs->updates);
}

/* A file holds one update, or an array of them. */
static int read_updates(struct inputs *inputs, const char *path, struct bw_error *err)
{
    json_t *value = wk_workflow_read(path, err);

    if (value == NULL)
        return err->code;
    if (json_is_array(value)) {
        wf_check(json_array_extend(inputs->updates, value) == 0 ? BW_OK : BW_ENOMEM);
        json_decref(value);
        return BW_OK;
    }
    wf_check(json_array_append_new(inputs->updates, value) == 0 ? BW_OK : BW_ENOMEM);
    return BW_OK;
}

static int read_all(struct inputs *inputs, const struct wk_workflow_options *options,
                    struct bw_error *err)
{
    int rc = BW_OK;

    *inputs = (struct inputs){ .updates = wf_must(json_array()) };
    if (options->argc != 2 || options->update_count == 0)
        return bw_error_set(err, BW_EINVAL,
                            "workflow run: FILE and --update UPDATE.json expected");
    inputs->workflow = wk_workflow_read(options->argv[1], err);
    if (inputs->workflow == NULL)
        return err->code;
    if (options->state != NULL) {
        inputs->state = wk_workflow_read(options->state, err);
        if (inputs->state == NULL)
            return err->code;
    }
    for (size_t i = 0; rc == BW_OK && i < options->update_count; i++)
        rc = read_updates(inputs, options->updates[i], err);
    return rc;
}

static int report(const json_t *trace, bool json)
{
    struct bw_buf out = BW_BUF_INIT;
    char *text;
    int code;

    if (json) {
        text = json_dumps(trace, JSON_INDENT(1));
        wf_check(text != NULL ? bw_buf_addf(&out, "%s\n", text) : BW_ENOMEM);
        free(text);
    } else {
        wf_trace_text(trace, &out);
    }
    code = wk_print(bw_buf_text(&out));
    bw_buf_fini(&out);
    return code == WK_EXIT_OK ? WK_EXIT_OK : WK_EXIT_USAGE;
}

/* The graph and the path. */
static int draw(const struct inputs *inputs, const json_t *trace, const char *path,
                struct bw_error *err)
{
    struct bw_buf out = BW_BUF_INIT;
    struct wf_graph *graph = NULL;
    int rc = wf_stored_graph(&graph, inputs->workflow, err);
    FILE *file;

    if (rc != BW_OK)
        return rc;
    wf_picture(graph, trace, &out);
    wf_graph_unref(&graph);
    file = fopen(path, "w");
    if (file == NULL) {
        rc = bw_error_errno(err, errno, "%s", path);
    } else {
        bool written = fwrite(out.data, 1, out.len, file) == out.len;

        if (fclose(file) != 0 || !written)
            rc = bw_error_errno(err, errno, "%s", path);
    }
    bw_buf_fini(&out);
    return rc;
}

static int run(const struct inputs *inputs, const struct wk_workflow_options *options)
{
    struct wf_dry *dry = NULL;
    struct bw_error err = { 0 };
    size_t i;
    json_t *update;
    int code;

    if (wf_dry_create(&dry, inputs->workflow, inputs->state, &err) != BW_OK)
        return wk_complain(&err);
    json_array_foreach(inputs->updates, i, update)
    {
        wf_dry_update(dry, update);
    }
    if (options->svg != NULL &&
        draw(inputs, wf_dry_trace(dry), options->svg, &err) != BW_OK) {
        (void)wk_complain(&err);
        wf_dry_destroy(&dry);
        return WK_EXIT_USAGE;
    }
    code = report(wf_dry_trace(dry), options->json);
    if (code == WK_EXIT_OK && wf_dry_failed(dry))
        code = WK_EXIT_FAILED;
    wf_dry_destroy(&dry);
    return code;
}

int wk_workflow_dry_run(const struct wk_workflow_options *options)
{
    struct inputs inputs;
    struct bw_error err = { 0 };
    int code = read_all(&inputs, options, &err) == BW_OK ? run(&inputs, options)
                                                         : wk_complain(&err);

    inputs_fini(&inputs);
    return code;
}
