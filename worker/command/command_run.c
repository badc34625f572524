#include <unistd.h>

#include "daemon/app.h"
#include "command/command.h"
#include "command/command_run.h"
#include "base/exit_code.h"

static const char usage[] =
    "Usage: bulwark run [--config FILE] [options]\n"
    "\n"
    "Runs the worker until SIGTERM or SIGINT. Logs go to standard error.\n"
    "SIGTERM, SIGINT: drain, a second one ends at once; SIGTSTP: go quiet; SIGCONT: "
    "resume;\n"
    "SIGHUP: read the configuration again, or drain when its terminal has gone;\n"
    "SIGUSR1: write the state to the log.\n"
    "Exit codes: 0 drained; 1 failed; 2 wrong usage or configuration; 75 the deadline of "
    "the\n"
    "drain passed and jobs were handed back.\n";

int wk_command_run(int argc, char **argv)
{
    struct wk_invocation invocation;
    struct wk_log_output output;
    int code;

    if (!wk_invocation_init(&invocation, argc, argv, usage, false, &code))
        return code;
    if (invocation.flags.rest_count > 0) {
        struct bw_error err;

        (void)bw_error_set(&err, BW_EINVAL, "run: unexpected argument \"%.64s\"",
                           invocation.flags.rest[0]);
        code = wk_complain(&err);
    } else {
        wk_network_init(&invocation.config);
        wk_log_output_init(&output, STDERR_FILENO, invocation.config.log.level,
                           wk_config_logs_json(&invocation.config, STDERR_FILENO));
        code = wk_app_run(&invocation.config, &invocation.sources, &output);
    }
    wk_config_fini(&invocation.config);
    return code;
}
