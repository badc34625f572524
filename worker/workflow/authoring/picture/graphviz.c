#include "workflow/authoring/picture/graphviz.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "workflow/base/mem.h"

#define DEADLINE_MS 20000
#define LOOK_MS     5

extern char **environ;

/* --- the process: files are its input and output, so that nobody waits in a pipe */

static int spawn(pid_t *pid, FILE *in, FILE *out)
{
    char program[] = "dot", format[] = "-Tsvg", *argv[] = { program, format, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int rc;

    (void)sigemptyset(&none);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    rc = posix_spawn_file_actions_adddup2(&actions, fileno(in), STDIN_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, fileno(out), STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                              O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(&attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    if (rc == 0)
        rc = posix_spawnp(pid, program, &actions, &attributes, argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int await(pid_t pid, struct bw_error *err)
{
    const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
    int status;

    for (int waited = 0; waited < DEADLINE_MS; waited += LOOK_MS) {
        pid_t ended = waitpid(pid, &status, WNOHANG);

        if (ended < 0 && errno != EINTR)
            return bw_error_errno(err, errno, "dot");
        if (ended == pid)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0
                       ? BW_OK
                       : bw_error_set(err, BW_ESYSTEM, "dot: failed");
        (void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
    }
    (void)kill(pid, SIGKILL); /* it is ours, and not waited for yet */
    (void)waitpid(pid, &status, 0);
    return bw_error_set(err, BW_ETIMEDOUT, "dot: not done after %d s",
                        DEADLINE_MS / 1000);
}

/* --- files */

static int read_all(FILE *file, struct bw_buf *out, struct bw_error *err)
{
    char part[4096];
    size_t len;

    rewind(file);
    while ((len = fread(part, 1, sizeof(part), file)) > 0)
        wf_check(bw_buf_add(out, part, len));
    return ferror(file) == 0 ? BW_OK : bw_error_set(err, BW_ESYSTEM, "dot: no output");
}

static int run(const struct bw_buf *source, FILE *in, FILE *out, struct bw_buf *svg,
               struct bw_error *err)
{
    pid_t pid;
    int rc;

    if (fwrite(source->data, 1, source->len, in) != source->len || fflush(in) != 0)
        return bw_error_errno(err, errno, "dot: its input");
    rewind(in);
    rc = spawn(&pid, in, out);
    if (rc == ENOENT)
        return bw_error_set(err, BW_EUNSUPPORTED, "dot: not installed");
    if (rc != 0)
        return bw_error_errno(err, rc, "dot");
    rc = await(pid, err);
    return rc == BW_OK ? read_all(out, svg, err) : rc;
}

int wf_graphviz_svg(const struct bw_buf *source, struct bw_buf *out, struct bw_error *err)
{
    FILE *in = tmpfile(), *result = tmpfile();
    int rc = in != NULL && result != NULL
                 ? run(source, in, result, out, err)
                 : bw_error_errno(err, errno, "a temporary file");

    if (in != NULL)
        (void)fclose(in); /* it goes with its content */
    if (result != NULL)
        (void)fclose(result);
    return rc;
}
