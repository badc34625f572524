/* `bulwark workflow run`: a dry run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command_dry_run.h"
#include "base/exit_code.h"
#include "command/command.h"
#include "workflow/authoring/check/check.h"
#include "workflow/authoring/dry/dry_run.h"
#include "workflow/authoring/picture/graphviz.h"
#include "workflow/authoring/picture/picture.h"
#include "workflow/authoring/talk.h"
#include "workflow/authoring/trace.h"
#include "workflow/base/mem.h"

struct inputs {
    json_t *workflow, *state;
    json_t **updates; /* by event: what its file holds, or NULL */
};

static void inputs_fini(struct inputs *inputs)
{
    for (size_t i = 0; inputs->updates != NULL && i < WK_EVENTS_MAX; i++)
        json_decref(inputs->updates[i]);
    free(inputs->updates);
    json_decref(inputs->workflow);
    json_decref(inputs->state);
}

static int read_all(struct inputs *inputs, const struct wk_workflow_options *options,
                    struct bw_error *err)
{
    static const char expected[] = "workflow run: FILE and events expected, such as "
                                   "--start, --text TEXT, --update UPDATE.json";
    int rc = BW_OK;

    *inputs = (struct inputs){ 0 };
    if (options->event_count == 0)
        return bw_error_set(err, BW_EINVAL, "%s", expected);
    rc = wk_workflow_inputs(options, expected, &inputs->workflow, &inputs->state, err);
    inputs->updates = wf_alloc(WK_EVENTS_MAX * sizeof(*inputs->updates));
    for (size_t i = 0; rc == BW_OK && i < options->event_count; i++) {
        if (options->events[i].kind != WK_EVENT_UPDATE)
            continue;
        inputs->updates[i] = wk_workflow_read(options->events[i].value, err);
        rc = inputs->updates[i] != NULL ? BW_OK : err->code;
    }
    return rc;
}

/* --- events */

/* A file holds one update, or an array of them. */
static void take_updates(struct wf_talk *talk, const json_t *updates)
{
    const json_t *update;
    size_t i;

    if (!json_is_array(updates))
        wf_talk_update(talk, updates);
    json_array_foreach(updates, i, update)
    {
        wf_talk_update(talk, update);
    }
}

static int press(struct wf_talk *talk, const char *name, struct bw_error *err)
{
    bool strange = false;
    int rc = wf_talk_press(talk, name, &strange, err);

    if (strange)
        (void)fprintf(stderr, "bulwark: no button \"%s\" was sent; pressed as data\n",
                      name); /* a hint */
    return rc;
}

static int take_event(struct wf_talk *talk, const struct wk_event *event,
                      const json_t *updates, struct bw_error *err)
{
    switch (event->kind) {
    case WK_EVENT_UPDATE:
        take_updates(talk, updates);
        break;
    case WK_EVENT_TEXT:
        wf_talk_text(talk, event->value);
        break;
    case WK_EVENT_PRESS:
        return press(talk, event->value, err);
    case WK_EVENT_CONTACT:
        wf_talk_contact(talk, event->value);
        break;
    case WK_EVENT_LOCATION:
        return wf_talk_location(talk, event->value, err);
    }
    return BW_OK;
}

/* One after the other, up to one that cannot be. */
static int take_events(struct wf_dry *dry, const struct inputs *inputs,
                       const struct wk_workflow_options *options, struct bw_error *err)
{
    struct wf_talk *talk = wf_talk_create(dry, inputs->state);
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < options->event_count; i++)
        rc = take_event(talk, &options->events[i], inputs->updates[i], err);
    wf_talk_destroy(&talk);
    return rc;
}

/* --- the report */

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

/* --- pictures of the graph and the path */

static int write_file(const char *path, const struct bw_buf *content,
                      struct bw_error *err)
{
    FILE *file = fopen(path, "w");
    bool written;

    if (file == NULL)
        return bw_error_errno(err, errno, "%s", path);
    written = fwrite(content->data, 1, content->len, file) == content->len;
    if (fclose(file) != 0 || !written)
        return bw_error_errno(err, errno, "%s", path);
    return BW_OK;
}

/* By graphviz; without it, or where it fails, by ourselves. */
static void make_svg(const struct wf_graph *graph, const json_t *trace,
                     const struct bw_buf *dot, struct bw_buf *svg)
{
    struct bw_error err = { 0 };
    int rc = wf_graphviz_svg(dot, svg, &err);

    if (rc == BW_OK && svg->len > 0)
        return;
    if (rc != BW_EUNSUPPORTED)
        (void)fprintf(stderr, "bulwark: %s; drawn without it\n", err.text); /* a hint */
    bw_buf_fini(svg);
    *svg = (struct bw_buf)BW_BUF_INIT;
    wf_picture(graph, trace, svg);
}

static int draw(const struct inputs *inputs, const json_t *trace,
                const struct wk_workflow_options *options, struct bw_error *err)
{
    struct bw_buf dot = BW_BUF_INIT, svg = BW_BUF_INIT;
    struct wf_graph *graph = NULL;
    int rc = wf_stored_graph(&graph, inputs->workflow, err);

    if (rc != BW_OK)
        return rc;
    wf_picture_dot(graph, trace, &dot);
    if (options->dot != NULL)
        rc = write_file(options->dot, &dot, err);
    if (rc == BW_OK && options->svg != NULL) {
        make_svg(graph, trace, &dot, &svg);
        rc = write_file(options->svg, &svg, err);
    }
    wf_graph_unref(&graph);
    bw_buf_fini(&dot);
    bw_buf_fini(&svg);
    return rc;
}

static int run(const struct inputs *inputs, const struct wk_workflow_options *options)
{
    struct wf_dry *dry = NULL;
    struct bw_error err = { 0 };
    int rc = wf_dry_create(&dry, inputs->workflow, inputs->state, &err), code;

    if (rc == BW_OK)
        rc = take_events(dry, inputs, options, &err);
    if (rc == BW_OK && (options->svg != NULL || options->dot != NULL))
        rc = draw(inputs, wf_dry_trace(dry), options, &err);
    if (rc != BW_OK) {
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
