#include "command_workflow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exit_code.h"
#include "json/read.h"

static const char usage[] =
    "Usage: bulwark workflow validate [--json] FILE | --version-id ID [options]\n"
    "\n"
    "Lists every problem of a workflow, with node and field. FILE (\"-\": standard "
    "input)\n"
    "holds {nodes, connections, entryNodeId}; --version-id takes a version from the\n"
    "database (database.url of the configuration, DATABASE_URL).\n"
    "Exit codes: 0 no problem; 1 problems; 2 no verdict: wrong usage, nothing to read,\n"
    "the database is away.\n"
    "\n"
    "Usage: bulwark workflow run [--json] FILE --update UPDATE.json ... [--state STATE]\n"
    "                            [--svg OUT]\n"
    "\n"
    "Runs the workflow on updates of Telegram, one after the other, without side "
    "effects:\n"
    "prints steps, variables, SQL, requests and calls of the Bot API. STATE (JSON) "
    "holds\n"
    "what the database knows: project, customer, variables, workflows, answers, "
    "telegram,\n"
    "http, now. A file may hold an array of updates. --svg draws the graph, and the "
    "path\n"
    "that was taken, into a file.\n"
    "Exit codes: 0 all went well; 1 an execution failed; 2 wrong usage, nothing to "
    "read.\n";

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

/* Where the value of the option at `*i` belongs; NULL: it is not one of these. */
static const char **slot_of(struct wk_workflow_options *options, const char *word)
{
    if (strncmp(word, "--version-id", strlen("--version-id")) == 0)
        return &options->version_id;
    if (strncmp(word, "--state", strlen("--state")) == 0)
        return &options->state;
    if (strncmp(word, "--svg", strlen("--svg")) == 0)
        return &options->svg;
    if (strncmp(word, "--update", strlen("--update")) == 0 &&
        options->update_count < WK_UPDATES_MAX)
        return &options->updates[options->update_count];
    return NULL;
}

static bool take_option(struct wk_workflow_options *options, int argc, char **argv,
                        int *i)
{
    static const char *const names[] = { "--version-id", "--state", "--svg", "--update" };
    const char **slot = slot_of(options, argv[*i]);

    for (size_t j = 0; slot != NULL && j < sizeof names / sizeof names[0]; j++) {
        if (!take_value(argc, argv, i, names[j], slot))
            continue;
        if (slot == &options->updates[options->update_count])
            options->update_count++;
        return true;
    }
    return false;
}

/* Takes the options of these commands out of argv; leaves the rest in place. */
static int take_options(struct wk_workflow_options *options, int argc, char **argv,
                        struct bw_error *err)
{
    int kept = 1;

    *options = (struct wk_workflow_options){ .argv = argv };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (!take_option(options, argc, argv, &i)) {
            argv[kept++] = argv[i];
        } else if (i + 1 == argc && strchr(argv[i], '=') == NULL &&
                   strncmp(argv[i], "--", 2) == 0) {
            return bw_error_set(err, BW_EINVAL, "%s: needs a value", argv[i]);
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
    { "run", wk_workflow_dry_run },
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
        (void)bw_error_set(
            &err, BW_EINVAL,
            "workflow: expected validate or run; see bulwark workflow --help");
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
