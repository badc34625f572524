#include "redis/plain_probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "redis/loop.h"

struct bw_plain_probe {
    struct bw_io *io;
    int fd;
    bool asked;
    void (*found)(void *arg);
    void *arg;
};

static void ask(struct bw_plain_probe *probe)
{
    static const char ping[] = "PING\r\n";

    /* Not connected, or cut: then nothing is ever found. */
    (void)send(probe->fd, ping, sizeof ping - 1, MSG_NOSIGNAL);
    probe->asked = true;
    bw_io_watch(probe->io, BW_IO_READ);
}

/* "+PONG", "-NOAUTH …", "-DENIED …" */
static void listen_to(struct bw_plain_probe *probe)
{
    char first;
    ssize_t got = recv(probe->fd, &first, 1, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bw_io_watch(probe->io, 0);
    if (got == 1 && (first == '+' || first == '-'))
        probe->found(probe->arg); /* may end the probe: nothing after this */
}

static void on_io(void *arg, int events)
{
    struct bw_plain_probe *probe = arg;

    (void)events;
    if (probe->asked)
        listen_to(probe);
    else
        ask(probe);
}

struct bw_plain_probe *bw_plain_probe_start(struct bw_loop *loop,
                                            const struct sockaddr_storage *address,
                                            socklen_t len, void (*found)(void *arg),
                                            void *arg)
{
    struct bw_plain_probe *probe = bw_calloc(1, sizeof *probe);

    if (probe == NULL)
        return NULL;
    probe->found = found;
    probe->arg = arg;
    probe->fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe->fd < 0 ||
        (connect(probe->fd, (const struct sockaddr *)address, len) != 0 &&
         errno != EINPROGRESS) ||
        bw_io_create(&probe->io, loop, probe->fd, on_io, probe, NULL) != BW_OK) {
        bw_plain_probe_end(&probe);
        return NULL;
    }
    bw_io_watch(probe->io, BW_IO_WRITE);
    return probe;
}

void bw_plain_probe_end(struct bw_plain_probe **probep)
{
    struct bw_plain_probe *probe = *probep;

    if (probe == NULL)
        return;
    *probep = NULL;
    bw_io_destroy(&probe->io);
    if (probe->fd >= 0)
        (void)close(probe->fd); /* nothing of worth is on it */
    free(probe);
}
