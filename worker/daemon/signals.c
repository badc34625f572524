#include "daemon/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include <bulwark/thread.h>

#define STACK_SIZE ((size_t)256 * 1024)
#define SIGNAL_END SIGUSR2 /* wakes the thread so that it sees `ending` */

static void awaited(sigset_t *set)
{
    static const int numbers[] = { SIGTERM, SIGINT,  SIGTSTP,   SIGCONT,
                                   SIGHUP,  SIGUSR1, SIGNAL_END };

    (void)sigemptyset(set); /* both only fail for numbers that are no signals */
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)sigaddset(set, numbers[i]);
}

void wk_signals_block(void)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigset_t set;

    awaited(&set);
    bw_thread_check(pthread_sigmask(SIG_BLOCK, &set, NULL), "pthread_sigmask");
    bw_thread_check(sigaction(SIGPIPE, &ignore, NULL), "sigaction");
}

static void *signals_main(void *arg)
{
    struct wk_signals *signals = arg;
    sigset_t set;

    awaited(&set);
    for (;;) {
        int number = sigwaitinfo(&set, NULL);

        if (__atomic_load_n(&signals->ending, __ATOMIC_ACQUIRE))
            return NULL;
        /* Below 0: EINTR after a stop. SIGUSR2 from outside means nothing. */
        if (number > 0 && number != SIGNAL_END)
            signals->handle(number, signals->arg);
    }
}

int wk_signals_start(struct wk_signals *signals, void (*handle)(int signal, void *arg),
                     void *arg, struct bw_error *err)
{
    pthread_attr_t attr;
    int result;

    *signals = (struct wk_signals){ .handle = handle, .arg = arg };
    bw_thread_check(pthread_attr_init(&attr), "pthread_attr_init");
    bw_thread_check(pthread_attr_setstacksize(&attr, STACK_SIZE),
                    "pthread_attr_setstacksize");
    result = pthread_create(&signals->thread, &attr, signals_main, signals);
    bw_thread_check(pthread_attr_destroy(&attr), "pthread_attr_destroy");
    if (result != 0)
        return bw_error_errno(err, result, "signal thread");
    signals->running = true;
    return BW_OK;
}

void wk_signals_stop(struct wk_signals *signals)
{
    if (!signals->running)
        return;
    signals->running = false;
    __atomic_store_n(&signals->ending, true, __ATOMIC_RELEASE);
    bw_thread_check(pthread_kill(signals->thread, SIGNAL_END), "pthread_kill");
    bw_thread_check(pthread_join(signals->thread, NULL), "pthread_join");
}
