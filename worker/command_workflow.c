#include "command_workflow.h"

#include <stdio.h>
#include <string.h>

#include "exit_code.h"

static const char usage[] =
    "Usage: bulwark workflow validate [--json] FILE | --version-id ID [options]\n"
    "\n"
    "Lists every problem of a workflow, with node and field. FILE (\"-\": standard "
    "input)\n"
    "holds {nodes, connections, entryNodeId}; --version-id takes a version from the\n"
    "database (database.url of the configuration, DATABASE_URL).\n"
    "Exit codes: 0 no problem; 1 problems; 2 no verdict: wrong usage, nothing to read,\n"
    "the database is away.\n";

json_t *wk_workflow_read(const char *path, struct bw_error *err)
{
    json_error_t at;
    json_t *value = strcmp(path, "-") == 0 ? json_loadf(stdin, JSON_DECODE_ANY, &at)
                                           : json_load_file(path, JSON_DECODE_ANY, &at);

    if (value == NULL && at.line < 1)
        (void)bw_error_set(err, BW_EINVAL, "%s: %s", path, at.text);
    else if (value == NULL)
        (void)bw_error_set(err, BW_EINVAL, "%s: line %d, column %d: %s", path, at.line,
                           at.column, at.text);
    return value;
}

/* --- the command line */

/* The value of `--name VALUE` or `--name=VALUE` at `*i`, which is moved over it. False:
 * it is another option; a missing value is NULL in `*value`. */
static bool take_value(int argc, char **argv, int *i, const char *name,
                       const char **value)
{
    size_t len = strlen(name);

    if (strncmp(argv[*i], name, len) != 0)
        return false;
    if (argv[*i][len] == '=') {
        *value = argv[*i] + len + 1;
        return true;
    }
    if (argv[*i][len] != '\0')
        return false;
    *value = *i + 1 < argc ? argv[++*i] : NULL;
    return true;
}

/* Takes the options of these commands out of argv; leaves the rest in place. */
static int take_options(struct wk_workflow_options *options, int argc, char **argv,
                        struct bw_error *err)
{
    int kept = 1;

    *options = (struct wk_workflow_options){ .argv = argv };
    for (int i = 1; i < argc; i++) {
        if (take_value(argc, argv, &i, "--version-id", &options->version_id)) {
            if (options->version_id == NULL)
                return bw_error_set(err, BW_EINVAL, "--version-id: needs a value");
        } else if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    options->argc = kept;
    return BW_OK;
}

static const struct {
    const char *name;
    int (*run)(const struct wk_workflow_options *options);
} commands[] = {
    { "validate", wk_workflow_validate },
};

int wk_command_workflow(int argc, char **argv)
{
    struct wk_workflow_options options;
    struct bw_error err;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return wk_print(usage);
    }
    if (argc < 2) {
        (void)bw_error_set(&err, BW_EINVAL,
                           "workflow: expected validate; see bulwark workflow --help");
        return wk_complain(&err);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (take_options(&options, argc - 1, argv + 1, &err) != BW_OK)
            return wk_complain(&err);
        return commands[i].run(&options);
    }
    (void)bw_error_set(&err, BW_EINVAL, "workflow: unknown command \"%.64s\"", argv[1]);
    return wk_complain(&err);
}
