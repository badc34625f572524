#include "command/command_workflow.h"

#include <stddef.h>
#include <string.h>

#include "base/nearest.h"
#include "command/command.h"
#include "command/command_chat.h"
#include "command/command_dry_run.h"
#include "command/command_nodes.h"
#include "command/command_validate.h"

/* clang-format off */
static const char usage[] =
    "Usage: bulwark workflow validate [--json] FILE | --version-id ID [options]\n"
    "\n"
    "Lists every problem of a workflow, with node and field. FILE (\"-\": standard input)\n"
    "holds {nodes, connections, entryNodeId}; --version-id takes a version from the\n"
    "database (database.url of the configuration, DATABASE_URL).\n"
    "Exit codes: 0 no problem; 1 problems; 2 no verdict: wrong usage, nothing to read,\n"
    "the database is away.\n"
    "\n"
    "Usage: bulwark workflow run [--json] FILE EVENT ... [--state STATE] [--svg OUT] [--dot OUT]\n"
    "\n"
    "Runs the workflow on what a person does, one after the other, without side effects:\n"
    "prints steps, variables, SQL, requests and calls of the Bot API. Events:\n"
    "  --start[=PAYLOAD]      /start\n"
    "  --text TEXT            writes a text\n"
    "  --press BUTTON         presses a button that was sent: its text, or its data\n"
    "  --contact PHONE        shares the own contact\n"
    "  --location LAT,LON     shares a location\n"
    "  --update UPDATE.json   an update of Telegram, or an array of them\n"
    "STATE (JSON) holds what the database knows: project, customer, customers,\n"
    "organizations, variables, workflows, answers, telegram, http, now. The person is the\n"
    "state's customer, by his telegramId. --svg draws the graph, and the path that was\n"
    "taken, into a file, through graphviz where it is installed; --dot writes the source\n"
    "for it.\n"
    "Exit codes: 0 all went well; 1 an execution failed; 2 wrong usage, nothing to read.\n"
    "\n"
    "Usage: bulwark workflow chat FILE [--state STATE]\n"
    "\n"
    "A conversation with the workflow, from standard input: each line is a text; the number\n"
    "of a button presses it. /contact [PHONE], /location LAT,LON, /press BUTTON,\n"
    "/say TEXT (a text that would mean something else), /quit. Ends with 0.\n"
    "\n"
    "Usage: bulwark workflow nodes [--json | --schema] [TYPE]\n"
    "\n"
    "Every type of node, with its fields, their defaults and what they mean; --schema is a\n"
    "JSON Schema of workflows, for editors.\n";
/* clang-format on */

/* --- the command line */

struct option {
    const char *name;
    enum { VALUE, EVENT, FLAG } kind;
    size_t offset; /* of a value or a flag */
    enum wk_event_kind event;
};

#define AT(member) offsetof(struct wk_workflow_options, member)

static const struct option options_known[] = {
    { "version-id", VALUE, AT(version_id), WK_EVENT_TEXT },
    { "state", VALUE, AT(state), WK_EVENT_TEXT },
    { "svg", VALUE, AT(svg), WK_EVENT_TEXT },
    { "dot", VALUE, AT(dot), WK_EVENT_TEXT },
    { "update", EVENT, 0, WK_EVENT_UPDATE },
    { "text", EVENT, 0, WK_EVENT_TEXT },
    { "press", EVENT, 0, WK_EVENT_PRESS },
    { "contact", EVENT, 0, WK_EVENT_CONTACT },
    { "location", EVENT, 0, WK_EVENT_LOCATION },
    { "json", FLAG, AT(json), WK_EVENT_TEXT },
    { "schema", FLAG, AT(schema), WK_EVENT_TEXT },
};

#define OPTIONS (sizeof(options_known) / sizeof(options_known[0]))

static const char *option_at(const void *arg, size_t index)
{
    (void)arg;
    if (index == OPTIONS)
        return "start";
    return index < OPTIONS ? options_known[index].name : NULL;
}

/* "--name" or "--name=VALUE"; NULL: not one of these. */
static const struct option *find_option(const char *word)
{
    if (strncmp(word, "--", 2) != 0)
        return NULL;
    for (size_t i = 0; i < OPTIONS; i++) {
        size_t len = strlen(options_known[i].name);

        if (strncmp(word + 2, options_known[i].name, len) == 0 &&
            (word[len + 2] == '\0' || word[len + 2] == '='))
            return &options_known[i];
    }
    return NULL;
}

static int add_event(struct wk_workflow_options *options, enum wk_event_kind kind,
                     const char *value, struct bw_error *err)
{
    if (options->event_count == WK_EVENTS_MAX)
        return bw_error_set(err, BW_EINVAL, "over %d events", WK_EVENTS_MAX);
    options->events[options->event_count++] = (struct wk_event){ kind, value };
    return BW_OK;
}

/* The value is behind "=", or the next word, over which `*i` is moved. */
static int take_option(struct wk_workflow_options *options, const struct option *option,
                       int argc, char **argv, int *i, struct bw_error *err)
{
    char *at = (char *)options + option->offset;
    const char *word = argv[*i], *value = strchr(word, '=');

    if (option->kind == FLAG) {
        if (value != NULL)
            return bw_error_set(err, BW_EINVAL, "--%s: takes no value", option->name);
        memcpy(at, &(bool){ true }, sizeof(bool));
        return BW_OK;
    }
    if (value != NULL)
        value++;
    else if (*i + 1 < argc)
        value = argv[++*i];
    else
        return bw_error_set(err, BW_EINVAL, "--%s: needs a value", option->name);
    if (option->kind == EVENT)
        return add_event(options, option->event, value, err);
    memcpy(at, &value, sizeof(value));
    return BW_OK;
}

/* `--start` and `--start=PAYLOAD`, which becomes "/start PAYLOAD" in place. */
static bool is_start(char *word, const char **text)
{
    static const char start[] = "--start";
    size_t len = strlen(start);

    if (strncmp(word, start, len) != 0 || (word[len] != '\0' && word[len] != '='))
        return false;
    word[1] = '/';
    if (word[len] == '=')
        word[len] = ' ';
    *text = word + 1;
    return true;
}

/* Takes the options of these commands out of argv; leaves the rest in place. */
static int take_options(struct wk_workflow_options *options, int argc, char **argv,
                        struct bw_error *err)
{
    int kept = 1, rc = BW_OK;

    *options = (struct wk_workflow_options){ .argv = argv };
    for (int i = 1; rc == BW_OK && i < argc; i++) {
        const struct option *option = find_option(argv[i]);
        const char *text;

        if (option != NULL)
            rc = take_option(options, option, argc, argv, &i, err);
        else if (is_start(argv[i], &text))
            rc = add_event(options, WK_EVENT_TEXT, text, err);
        else
            argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    options->argc = kept;
    return rc;
}

/* Only `validate` has further options, those of the configuration. */
static int refuse_options(const struct wk_workflow_options *options, struct bw_error *err)
{
    for (int i = 1; i < options->argc; i++) {
        const char *word = options->argv[i], *near;

        if (strncmp(word, "--", 2) != 0)
            continue;
        near = wk_nearest(word + 2, option_at, NULL);
        if (near != NULL)
            return bw_error_set(err, BW_EINVAL,
                                "unknown option %.64s, did you mean --%s?", word, near);
        return bw_error_set(err, BW_EINVAL, "unknown option %.64s", word);
    }
    return BW_OK;
}

static const struct {
    const char *name;
    int (*run)(const struct wk_workflow_options *options);
    bool configured; /* takes the options of the configuration, too */
} commands[] = {
    { "validate", wk_workflow_validate, true },
    { "run", wk_workflow_dry_run, false },
    { "chat", wk_workflow_chat, false },
    { "nodes", wk_workflow_nodes, false },
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
                           "workflow: expected validate, run, chat or nodes; see "
                           "bulwark workflow --help");
        return wk_complain(&err);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (take_options(&options, argc - 1, argv + 1, &err) != BW_OK ||
            (!commands[i].configured && refuse_options(&options, &err) != BW_OK))
            return wk_complain(&err);
        return commands[i].run(&options);
    }
    (void)bw_error_set(&err, BW_EINVAL, "workflow: unknown command \"%.64s\"", argv[1]);
    return wk_complain(&err);
}
