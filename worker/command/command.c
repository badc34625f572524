#include "command/command.h"

#include <stdio.h>

#include <curl/curl.h>

#include "config/environment.h"
#include "config/load.h"
#include "base/exit_code.h"

int wk_complain(const struct bw_error *err)
{
    (void)fprintf(stderr, "bulwark: %s\n", err->text); /* nowhere to tell of a failure */
    return wk_exit_of(err->code);
}

int wk_print(const char *text)
{
    return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? WK_EXIT_OK : WK_EXIT_FAILED;
}

static int print_help(const char *usage)
{
    struct bw_buf out = BW_BUF_INIT;
    int code = WK_EXIT_FAILED;

    if (bw_buf_addf(&out, "%s\n", usage) == BW_OK && wk_flags_help(&out) == BW_OK)
        code = wk_print(bw_buf_text(&out));
    bw_buf_fini(&out);
    return code;
}

bool wk_invocation_init(struct wk_invocation *invocation, int argc, char **argv,
                        const char *usage, bool redis_only, int *code)
{
    struct bw_error err = { 0 };

    if (wk_flags_parse(&invocation->flags, argc, argv, &err) != BW_OK) {
        *code = wk_complain(&err);
        return false;
    }
    if (invocation->flags.help) {
        *code = print_help(usage);
        return false;
    }
    invocation->sources =
        (struct wk_config_sources){ wk_env_lookup(), wk_flags_lookup(&invocation->flags),
                                    redis_only };
    if (wk_config_load(&invocation->config, &invocation->sources, &err) != BW_OK ||
        wk_environment_note(&invocation->config, &err) != BW_OK) {
        (void)wk_complain(&err);
        *code = WK_EXIT_USAGE; /* a file that cannot be read is a wrong --config, too */
        return false;
    }
    return true;
}

void wk_network_init(const struct wk_config *config)
{
    if (wk_config_needs_telegram(config))
        (void)curl_global_init(
            CURL_GLOBAL_DEFAULT); /* a failure shows in the first handle */
}
