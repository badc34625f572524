#include "daemon/reaper.h"

#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bulwark/thread.h>

enum { SIGNALLED = 128 };

static bool gets_orphans(void)
{
    int subreaper = 0;

    return getpid() == 1 ||
           (prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0) == 0 && subreaper != 0);
}

/* All that can be waited for: a fault of our own ends us as it should. */
static void awaited(sigset_t *set)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };

    (void)sigfillset(set); /* both fail only for numbers that are no signals */
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        (void)sigdelset(set, faults[i]);
}

/* What a key of the terminal sends comes to the child as well, which is of the same
 * group; its hangup comes to the leader of the session only. */
static bool is_for_child(const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGCHLD:
    case SIGTTIN:
    case SIGTTOU:
    case SIGPIPE:
        return false;
    case SIGHUP:
        return true;
    default:
        return info->si_code != SI_KERNEL;
    }
}

/* True when the child is among those that have ended. */
static bool reap(pid_t child, int *code)
{
    bool ended = false;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != child)
            continue;
        ended = true;
        *code = WIFSIGNALED(status) ? SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return ended;
}

static int wait_for(pid_t child, const sigset_t *set)
{
    siginfo_t info;
    int code = 0;

    while (!reap(child, &code)) {
        /* It fails only for what a debugger does: then all is looked at again. */
        if (sigwaitinfo(set, &info) > 0 && is_for_child(&info))
            (void)kill(child, info.si_signo); /* it is there until it is waited for */
    }
    return code;
}

bool wk_reaper_run(int *code)
{
    sigset_t set, before;
    pid_t child;

    if (!gets_orphans())
        return false;
    awaited(&set);
    bw_thread_check(pthread_sigmask(SIG_BLOCK, &set, &before), "pthread_sigmask");
    child = fork();
    if (child > 0) {
        *code = wait_for(child, &set);
        return true;
    }
    /* The child; or there is none, and orphans stay: better than no worker. */
    if (child == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* as the end of PID 1 ends all others */
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &before, NULL), "pthread_sigmask");
    return false;
}
