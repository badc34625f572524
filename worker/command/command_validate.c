/* `bulwark workflow validate`. */
#include <stdlib.h>
#include <unistd.h>

#include "pg/ask.h"
#include "command/command_validate.h"
#include "base/exit_code.h"
#include "command/command.h"
#include "base/log_output.h"
#include "workflow/authoring/check/check.h"
#include "workflow/base/mem.h"

/* --- a version of the database */

static int select_version(const char *url, const char *id, struct pg_batch *batch,
                          struct bw_error *err)
{
    static const struct pg_statement select = {
        "validate",
        "select v.nodes, w.connections, v.entry_node_id from workflow_versions v"
        " join workflows w on w.id = v.workflow_id where v.id = $1",
        1
    };
    struct wk_log_output output;
    struct bw_log log;

    wk_log_output_init(&output, STDERR_FILENO, BW_LOG_ERROR, false);
    bw_log_init(&log, &output.sink);
    if (pg_batch_add(batch, &select, &id, 1) < 0)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    return wk_ask_pg(url, &log, batch, err);
}

static json_t *version_of(const struct pg_batch *batch)
{
    json_t *workflow = wf_must(json_object());
    const char *entry = pg_batch_value(batch, 0, 0, 2);

    wf_json_set(workflow, "nodes", wf_loads(pg_batch_value(batch, 0, 0, 0)));
    wf_json_set(workflow, "connections", wf_loads(pg_batch_value(batch, 0, 0, 1)));
    wf_json_set_text(workflow, "entryNodeId", entry != NULL ? entry : "");
    return workflow;
}

/* New reference; NULL: `err` says why. */
static json_t *fetch(const char *url, const char *id, struct bw_error *err)
{
    struct pg_batch *batch = NULL;
    json_t *workflow = NULL;

    wf_check(pg_batch_create(&batch));
    if (select_version(url, id, batch, err) == BW_OK) {
        if (pg_batch_rows(batch, 0) > 0)
            workflow = version_of(batch);
        else
            (void)bw_error_set(err, BW_EINVAL, "%.100s: no such version", id);
    }
    pg_batch_destroy(&batch);
    return workflow;
}

static json_t *fetch_configured(const struct wk_workflow_options *options, int *code)
{
    static const char help[] = "Usage: bulwark workflow validate --version-id ID\n";
    struct wk_invocation invocation;
    struct bw_error err = { 0 };
    json_t *workflow = NULL;

    if (!wk_invocation_init(&invocation, options->argc, options->argv, help, true, code))
        return NULL;
    if (invocation.flags.rest_count > 0)
        (void)bw_error_set(&err, BW_EINVAL, "give FILE or --version-id ID, not both");
    else if (invocation.config.database.url == NULL)
        (void)bw_error_set(&err, BW_EINVAL,
                           "--version-id: set database.url or DATABASE_URL");
    else
        workflow = fetch(invocation.config.database.url, options->version_id, &err);
    wk_config_fini(&invocation.config);
    if (workflow == NULL)
        (void)wk_complain(&err);
    *code = WK_EXIT_USAGE;
    return workflow;
}

/* --- a file */

static json_t *read_file(const struct wk_workflow_options *options)
{
    struct bw_error err = { 0 };
    json_t *workflow = NULL;

    if (options->argc != 2)
        (void)bw_error_set(&err, BW_EINVAL,
                           "workflow validate: FILE or --version-id ID expected");
    else
        workflow = wk_workflow_read(options->argv[1], &err);
    if (workflow == NULL)
        (void)wk_complain(&err);
    return workflow;
}

/* --- the report */

static void write_json(const struct wf_problems *problems, struct bw_buf *out)
{
    json_t *report = wf_must(json_object());
    char *text;

    wf_json_set(report, "problems", wf_problems_json(problems));
    text = json_dumps(report, JSON_INDENT(1));
    wf_check(text != NULL ? bw_buf_addf(out, "%s\n", text) : BW_ENOMEM);
    free(text);
    json_decref(report);
}

static int report(const struct wf_problems *problems, bool json)
{
    struct bw_buf out = BW_BUF_INIT;
    int code;

    if (json)
        write_json(problems, &out);
    else
        wf_problems_text(problems, &out);
    code = wk_print(bw_buf_text(&out));
    bw_buf_fini(&out);
    if (code != WK_EXIT_OK)
        return WK_EXIT_USAGE; /* nobody read a verdict */
    return problems->count > 0 ? WK_EXIT_FAILED : WK_EXIT_OK;
}

int wk_workflow_validate(const struct wk_workflow_options *options)
{
    struct wf_problems problems = { 0 };
    int code = WK_EXIT_USAGE;
    json_t *workflow = options->version_id != NULL ? fetch_configured(options, &code)
                                                   : read_file(options);

    if (workflow == NULL)
        return code;
    wf_check_workflow(workflow, &problems);
    code = report(&problems, options->json);
    wf_problems_fini(&problems);
    json_decref(workflow);
    return code;
}
