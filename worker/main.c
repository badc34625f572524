#include <malloc.h>
#include <string.h>

#include "command/command.h"
#include "command/command_check.h"
#include "command/command_queue.h"
#include "command/command_run.h"
#include "command/command_workflow.h"
#include "config/load.h"
#include "daemon/descriptors.h"
#include "config/environment.h"
#include "base/exit_code.h"
#include "daemon/reaper.h"
#include "daemon/signals.h"
#include "base/version.h"

/* glibc's malloc makes an arena a thread by default: memory for speed that is not needed
 * here. */
#define ARENAS 2

static const char usage[] =
    "bulwark " WK_VERSION ": a BullMQ worker\n"
    "\n"
    "Usage: bulwark run [--config FILE]    run the worker\n"
    "       bulwark check [--config FILE]  check the configuration, reach what it names\n"
    "       bulwark queue ...              counts, pause, resume, add\n"
    "       bulwark workflow ...           validate a workflow, run it dry, chat with "
    "it\n"
    "       bulwark --help | --version\n"
    "\n"
    "bulwark COMMAND --help tells more.\n";

static int print_help(void)
{
    struct bw_buf out = BW_BUF_INIT;
    int code = WK_EXIT_FAILED;

    if (bw_buf_addf(&out, "%s\n", usage) == BW_OK && wk_flags_help(&out) == BW_OK &&
        bw_buf_add_str(&out,
                       "\nConfiguration file (JSON): key, [default; range]; SIGHUP takes "
                       "over what has a *:\n") == BW_OK &&
        wk_config_help(&out) == BW_OK)
        code = wk_print(bw_buf_text(&out));
    bw_buf_fini(&out);
    return code;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "run", wk_command_run },
    { "check", wk_command_check },
    { "queue", wk_command_queue },
    { "workflow", wk_command_workflow },
};

static int dispatch(int argc, char **argv)
{
    struct bw_error err;

    if (argc < 2) {
        (void)bw_error_set(&err, BW_EINVAL, "what to do? See bulwark --help");
        return wk_complain(&err);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0)
        return wk_print("bulwark " WK_VERSION "\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    (void)bw_error_set(&err, BW_EINVAL, "unknown command \"%.64s\"; see bulwark --help",
                       argv[1]);
    return wk_complain(&err);
}

/* What counts for the whole process is set here, while there is one thread. The locale
 * stays "C": numbers are written and read the same everywhere. */
int main(int argc, char **argv)
{
    int code;

    if (!wk_descriptors_complete())
        return WK_EXIT_FAILED;          /* and nowhere to say why */
    (void)mallopt(M_ARENA_MAX, ARENAS); /* a hint */
    wk_signals_block();
    wk_environment_trim();
    if (argc > 1 && strcmp(argv[1], "run") == 0 && wk_reaper_run(&code))
        return code;
    return dispatch(argc, argv);
}
