#include "handlers/exec/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

struct pipes {
    int in[2], out[2], err[2];
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* pipes have nothing to lose by a failing close */
    *fd = -1;
}

static void close_pipes(struct pipes *pipes)
{
    for (int i = 0; i < 2; i++) {
        close_fd(&pipes->in[i]);
        close_fd(&pipes->out[i]);
        close_fd(&pipes->err[i]);
    }
}

static bool open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
    return pipe2(pipes->in, O_CLOEXEC) == 0 && pipe2(pipes->out, O_CLOEXEC) == 0 &&
           pipe2(pipes->err, O_CLOEXEC) == 0;
}

/* ---- in the child: between fork and exec only calls that are safe in signal handlers */

static void say(const char *text)
{
    ssize_t wrote = write(STDERR_FILENO, text, strlen(text));

    (void)wrote; /* nobody is left to be told */
}

static _Noreturn void give_up(const char *what)
{
    int errnum = errno;
    const char *reason = strerrordesc_np(errnum);

    say(EX_CANNOT_START);
    say(what);
    say(": ");
    say(reason != NULL ? reason : "unknown error");
    say("\n");
    _exit(127);
}

static void reset_signals(void)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &plain, NULL); /* refused for some: they are plain */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
}

static void set_limit(int resource, int64_t value, const char *what)
{
    struct rlimit limit = { .rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value };

    if (value > 0 && setrlimit((__rlimit_resource_t)resource, &limit) != 0)
        give_up(what);
}

static void become_user(const struct ex_settings *settings)
{
    if (!settings->has_user)
        return;
    if (setgroups(settings->group_count, settings->groups) != 0 ||
        setgid(settings->gid) != 0 || setuid(settings->uid) != 0)
        give_up("user");
}

/* Descriptors of ours are opened close-on-exec; this is for those of libraries. */
static void close_others(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0)
        return;
#endif
    for (int fd = 3; fd < 1024; fd++)
        (void)close(fd); /* most are not open */
}

static _Noreturn void run_child(const struct pipes *pipes, pid_t parent,
                                const struct ex_settings *settings)
{
    if (dup2(pipes->in[0], STDIN_FILENO) < 0 || dup2(pipes->out[1], STDOUT_FILENO) < 0 ||
        dup2(pipes->err[1], STDERR_FILENO) < 0)
        _exit(127);
    (void)setpgid(0, 0); /* the parent does the same: one of them is first */
    reset_signals();
    set_limit(RLIMIT_AS, settings->limit_memory, "limits.memory");
    set_limit(RLIMIT_CPU, settings->limit_cpu, "limits.cpu");
    become_user(settings);
    /* After the change of user, which would clear it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        give_up("prctl");
    if (getppid() != parent) /* it died before that */
        _exit(127);
    close_others();
    environ = settings->envp;
    (void)execvp(settings->argv[0], settings->argv); /* it returned: it failed */
    give_up(settings->argv[0]);
}

/* ---- in the parent */

static int open_life(pid_t pid)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

static bool set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

int ex_child_spawn(struct ex_child *child, const struct ex_settings *settings,
                   struct bw_error *err)
{
    struct pipes pipes;
    pid_t parent = getpid();
    pid_t pid;
    int errnum;

    BW_ASSERT(settings->argv[0] != NULL && settings->envp != NULL);
    BW_ASSERT(child->pid == 0); /* its end is known before the next begins */
    *child = (struct ex_child){ 0, -1, -1, -1, -1 };
    if (!open_pipes(&pipes) || !set_nonblocking(pipes.in[1]) ||
        !set_nonblocking(pipes.out[0]) || !set_nonblocking(pipes.err[0]))
        goto fail;
    pid = fork();
    if (pid < 0)
        goto fail;
    if (pid == 0)
        run_child(&pipes, parent, settings);
    (void)setpgid(pid, pid); /* too late when it has executed: then it did it itself */
    *child =
        (struct ex_child){ pid, pipes.in[1], pipes.out[0], pipes.err[0], open_life(pid) };
    pipes.in[1] = pipes.out[0] = pipes.err[0] = -1;
    close_pipes(&pipes);
    return BW_OK;
fail:
    errnum = errno;
    close_pipes(&pipes);
    return bw_error_errno(err, errnum, "cannot start \"%.100s\"", settings->argv[0]);
}

void ex_child_signal(const struct ex_child *child, int number)
{
    BW_ASSERT(child->pid >= 0);
    if (child->pid > 0)
        (void)kill(-child->pid, number); /* it may have ended: then its end is known */
}

bool ex_child_ended(struct ex_child *child, int *status)
{
    siginfo_t info = { 0 };
    pid_t pid = child->pid;

    BW_ASSERT(pid > 0); /* kill() would take 0 for our own group, -1 for everybody */
    /* Its number stays taken until it is waited for: the group is still its own. */
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid != pid)
        return false;
    (void)kill(-pid, SIGKILL); /* nobody may be left in it */
    if (waitpid(pid, status, 0) != pid)
        return false;
    child->pid = 0;
    return true;
}

void ex_child_close_in(struct ex_child *child)
{
    close_fd(&child->in);
}

void ex_child_close(struct ex_child *child)
{
    close_fd(&child->in);
    close_fd(&child->out);
    close_fd(&child->err);
    close_fd(&child->life);
}
