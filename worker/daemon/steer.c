#include "daemon/steer.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <bulwark/buf.h>

#include "daemon/app.h"
#include "daemon/notes.h"
#include "daemon/status.h"

static void drain(struct wk_app *app, const char *why)
{
    bool again = __atomic_exchange_n(&app->draining, true, __ATOMIC_RELAXED);
    int64_t timeout_ms =
        again ? 0 : __atomic_load_n(&app->shutdown_timeout, __ATOMIC_RELAXED);
    struct bw_mono until = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);

    bw_log(&app->log, BW_LOG_INFO, again ? "asked to end at once" : "asked to end",
           bw_text("reason", why), bw_num("timeoutMs", timeout_ms));
    __atomic_store_n(&app->drain_until_ns, until.ns, __ATOMIC_RELAXED);
    wk_deadline_set(&app->deadline, bw_mono_add_ms(until, WK_END_GRACE_MS));
    for (size_t i = 0; i < app->instance_count; i++) {
        const struct wk_instance *instance = &app->instances[i];

        if (instance->type->drain != NULL)
            instance->type->drain(instance->state, timeout_ms);
    }
    bw_worker_drain(app->worker, timeout_ms);
}

/* With NULL both functions take all queues and cannot fail. */
static void quiet(struct wk_app *app)
{
    bw_log(&app->log, BW_LOG_INFO, "quiet: no more jobs are taken");
    (void)bw_worker_quiet(app->worker, NULL);
}

static void resume(struct wk_app *app)
{
    bw_log(&app->log, BW_LOG_INFO, "resumed");
    (void)bw_worker_resume(app->worker, NULL);
}

/* ---- SIGHUP */

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0)
        (void)close(fd); /* nothing was written */
    return fd >= 0;
}

static void name_restart_keys(struct wk_app *app, const struct wk_config *fresh)
{
    struct bw_buf keys = BW_BUF_INIT;

    if (wk_config_restart_keys(app->config, fresh, &keys) == BW_OK && keys.len > 0)
        bw_log(&app->log, BW_LOG_WARNING, "some changes count after a restart only",
               bw_text("keys", bw_buf_text(&keys)));
    bw_buf_fini(&keys);
}

static void reload(struct wk_app *app)
{
    struct bw_error err = { 0 };
    struct wk_config fresh;

    if (wk_config_load(&fresh, app->sources, &err) != BW_OK) {
        bw_log(&app->log, BW_LOG_ERROR, "the configuration was not reloaded",
               bw_text("reason", err.text));
        return;
    }
    wk_log_output_change(app->output, fresh.log.level,
                         wk_config_logs_json(&fresh, app->output->fd));
    __atomic_store_n(&app->shutdown_timeout, fresh.shutdown_timeout, __ATOMIC_RELAXED);
    bw_log(&app->log, BW_LOG_INFO, "the configuration was reloaded");
    wk_notes_log(&app->log, &fresh);
    name_restart_keys(app, &fresh);
    wk_config_fini(&fresh);
}

/* A terminal that ends says so with the signal that a daemon takes for an order. */
static void hang_up(struct wk_app *app)
{
    if (!app->terminal || has_terminal())
        reload(app);
    else if (!__atomic_load_n(&app->draining, __ATOMIC_RELAXED))
        drain(app, "SIGHUP: the terminal has gone");
}

/* ---- */

static void on_signal(int number, void *arg)
{
    struct wk_app *app = arg;

    switch (number) {
    case SIGTERM:
        drain(app, "SIGTERM");
        break;
    case SIGINT:
        drain(app, "SIGINT");
        break;
    case SIGTSTP:
        quiet(app);
        break;
    case SIGCONT:
        resume(app);
        break;
    case SIGHUP:
        hang_up(app);
        break;
    case SIGUSR1:
        wk_status_log(app);
        break;
    default:
        break;
    }
}

int wk_steer_start(struct wk_signals *signals, struct wk_app *app, struct bw_error *err)
{
    app->terminal = isatty(STDIN_FILENO) == 1 && has_terminal();
    return wk_signals_start(signals, on_signal, app, err);
}
