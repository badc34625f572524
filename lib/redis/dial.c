#include "redis/dial.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "redis/loop.h"
#include "redis/plain_probe.h"
#include "redis/stream.h"
#include "redis/tls.h"

#define ADDRESSES_MAX 8
/* A server that has not answered TLS's greeting by then may be none that speaks it. */
#define DOUBT_MS 500

/* A link that carries nothing is probed after 15 s and given up 15 s later; bytes that
 * nobody acknowledges for 10 s end it too. */
#define KEEPALIVE_IDLE_S     15
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_COUNT      3
#define USER_TIMEOUT_MS      10000

struct bw_dial {
    struct bw_loop *loop;
    const struct bw_redis_options *options;
    struct bw_tls *tls; /* NULL: plain */
    bw_dial_cb *cb;
    void *arg;
    struct bw_timer *timer; /* the deadline of the step that runs */
    struct bw_mono deadline;
    struct bw_lookup *lookup;
    struct bw_stream stream;
    struct bw_io *io;
    bool connected;         /* the rest is TLS's handshake */
    struct bw_timer *doubt; /* runs until its first answer */
    struct bw_plain_probe *probe;
    struct bw_error failure; /* of the last address; code BW_OK: none */
    size_t next, count;
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    socklen_t lens[ADDRESSES_MAX];
};

static void try_next(struct bw_dial *dial);

static void hang_up(struct bw_dial *dial)
{
    bw_timer_stop(dial->doubt);
    bw_plain_probe_end(&dial->probe);
    bw_io_destroy(&dial->io);
    bw_stream_fini(&dial->stream);
}

void bw_dial_cancel(struct bw_dial *dial)
{
    bw_timer_stop(dial->timer);
    bw_lookup_cancel(&dial->lookup);
    hang_up(dial);
}

static void give_up(struct bw_dial *dial)
{
    struct bw_error err = dial->failure;

    bw_dial_cancel(dial);
    dial->cb(NULL, &err, dial->arg);
}

static void succeed(struct bw_dial *dial)
{
    struct bw_stream stream = dial->stream;

    dial->stream = (struct bw_stream){ 0 };
    bw_dial_cancel(dial);
    dial->cb(&stream, NULL, dial->arg);
}

/* The failure is in dial->failure. Other addresses may do better. */
static void fail_address(struct bw_dial *dial)
{
    hang_up(dial);
    try_next(dial);
}

/* --- TLS */

static void on_plain(void *arg)
{
    struct bw_dial *dial = arg;

    (void)bw_error_set(
        &dial->failure, BW_EIO,
        "the server speaks plain Redis, not TLS: the URL must be redis://");
    fail_address(dial);
}

static void on_doubt(void *arg)
{
    struct bw_dial *dial = arg;
    size_t i = dial->next - 1;

    /* Without a probe the deadline tells, if not why. */
    dial->probe = bw_plain_probe_start(dial->loop, &dial->addresses[i], dial->lens[i],
                                       on_plain, dial);
}

static void go_on_with_tls(struct bw_dial *dial)
{
    bool done = false;

    if (bw_tls_handshake(dial->stream.tls, &done, &dial->failure) != BW_OK) {
        fail_address(dial);
        return;
    }
    if (done)
        succeed(dial);
    else
        bw_io_watch(dial->io,
                    bw_tls_wants_write(dial->stream.tls) ? BW_IO_WRITE : BW_IO_READ);
}

static void begin_tls(struct bw_dial *dial)
{
    int rc = bw_tls_session_create(&dial->stream.tls, dial->tls, dial->stream.fd,
                                   dial->options->host, &dial->failure);

    if (rc != BW_OK) {
        fail_address(dial);
        return;
    }
    bw_timer_start(dial->doubt, DOUBT_MS);
    go_on_with_tls(dial);
}

/* --- connecting */

static void tune(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        { IPPROTO_TCP, TCP_NODELAY, 1 },
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
        { IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S },
        { IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS },
    };

    /* None is vital: the connection's own deadlines hold without them. */
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
}

static void fail_with_errno(struct bw_dial *dial, int errnum, const char *what)
{
    (void)bw_error_errno(&dial->failure, errnum, "%s", what);
    dial->failure.code = BW_EIO;
    fail_address(dial);
}

static void on_connected(struct bw_dial *dial)
{
    dial->connected = true;
    if (dial->tls != NULL)
        begin_tls(dial);
    else
        succeed(dial);
}

static void finish_connect(struct bw_dial *dial)
{
    int errnum = 0;
    socklen_t len = sizeof errnum;

    if (getsockopt(dial->stream.fd, SOL_SOCKET, SO_ERROR, &errnum, &len) != 0)
        errnum = errno;
    if (errnum != 0)
        fail_with_errno(dial, errnum, "connecting");
    else
        on_connected(dial);
}

static void on_io(void *arg, int events)
{
    struct bw_dial *dial = arg;

    if (dial->connected) {
        if ((events & BW_IO_READ) != 0)
            bw_timer_stop(dial->doubt);
        go_on_with_tls(dial);
    } else {
        finish_connect(dial);
    }
}

/* False: the failure is noted, the next address may be tried. */
static bool connect_to(struct bw_dial *dial, const struct sockaddr_storage *address,
                       socklen_t len)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        (void)bw_error_errno(&dial->failure, errno, "socket");
        return false;
    }
    dial->stream = (struct bw_stream){ .open = true, .fd = fd };
    dial->connected = false;
    if (address->ss_family != AF_UNIX)
        tune(fd);
    if (connect(fd, (const struct sockaddr *)address, len) != 0 && errno != EINPROGRESS) {
        (void)bw_error_errno(&dial->failure, errno, "connecting");
        dial->failure.code = BW_EIO;
        return false;
    }
    if (bw_io_create(&dial->io, dial->loop, fd, on_io, dial, &dial->failure) != BW_OK)
        return false;
    bw_io_watch(dial->io, BW_IO_WRITE);
    return true;
}

/* The time that is left, shared by the addresses that are left. */
static int64_t share_of_time(const struct bw_dial *dial)
{
    int64_t left = bw_mono_ms_until(bw_loop_mono(dial->loop), dial->deadline);
    int64_t addresses = (int64_t)(dial->count - dial->next);

    return left > 0 ? left / (addresses > 0 ? addresses : 1) : 0;
}

static void try_next(struct bw_dial *dial)
{
    while (dial->next < dial->count) {
        int64_t limit_ms = share_of_time(dial);
        size_t i = dial->next++;

        if (connect_to(dial, &dial->addresses[i], dial->lens[i])) {
            bw_timer_start(dial->timer, limit_ms);
            return;
        }
        hang_up(dial);
    }
    give_up(dial);
}

/* --- where to */

static bool is_wanted(const struct bw_dial *dial, sa_family_t family)
{
    int wanted = dial->options->family;

    return wanted == 0 || (wanted == 6) == (family == AF_INET6);
}

static void on_lookup(void *arg, int code, const struct sockaddr_storage *list,
                      const socklen_t *lens, size_t count, const char *text)
{
    struct bw_dial *dial = arg;

    if (code != BW_OK) {
        (void)bw_error_set(&dial->failure, code, "looking up the name: %s", text);
        give_up(dial);
        return;
    }
    for (size_t i = 0; i < count && dial->count < ADDRESSES_MAX; i++) {
        if (!is_wanted(dial, list[i].ss_family))
            continue;
        dial->addresses[dial->count] = list[i];
        dial->lens[dial->count++] = lens[i];
    }
    if (dial->count == 0)
        (void)bw_error_set(&dial->failure, BW_EIO,
                           "looking up the name: it has no IPv%d address",
                           dial->options->family);
    try_next(dial); /* without any: gives up */
}

static bool use_path(struct bw_dial *dial, const char *path)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&dial->addresses[0];

    if (path == NULL)
        return false;
    memset(un, 0, sizeof *un);
    un->sun_family = AF_UNIX;
    /* bw_dial_create() measured it. */
    memcpy(un->sun_path, path, strlen(path));
    dial->lens[0] = sizeof *un;
    return true;
}

static bool use_address(struct bw_dial *dial, const char *host, uint16_t port)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&dial->addresses[0];
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&dial->addresses[0];

    memset(&dial->addresses[0], 0, sizeof dial->addresses[0]);
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        dial->lens[0] = sizeof *in;
        return true;
    }
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        dial->lens[0] = sizeof *in6;
        return true;
    }
    return false;
}

static void on_timer(void *arg)
{
    struct bw_dial *dial = arg;

    /* bw_dial_start() found everything at hand, and leaves the callback to the loop. */
    if (dial->lookup == NULL && !dial->stream.open) {
        if (dial->count > 0)
            try_next(dial);
        else
            give_up(dial);
        return;
    }
    (void)bw_error_set(&dial->failure, BW_ETIMEDOUT, "%s takes longer than %u ms",
                       dial->lookup != NULL ? "looking up the name"
                       : dial->connected    ? "the TLS handshake"
                                            : "connecting",
                       dial->options->connect_timeout_ms);
    bw_lookup_cancel(&dial->lookup);
    fail_address(dial);
}

void bw_dial_start(struct bw_dial *dial)
{
    const struct bw_redis_options *options = dial->options;

    assert(dial->lookup == NULL && !dial->stream.open);
    bw_error_clear(&dial->failure);
    dial->deadline =
        bw_mono_add_ms(bw_loop_mono(dial->loop), options->connect_timeout_ms);
    dial->next = dial->count = 0;
    if (use_path(dial, options->path) ||
        use_address(dial, options->host, options->port)) {
        dial->count = 1;
        bw_timer_start(dial->timer, 0);
        return;
    }
    if (bw_lookup_start(&dial->lookup, dial->loop, options->host, options->port,
                        on_lookup, dial, &dial->failure) == BW_OK)
        bw_timer_start(dial->timer, options->connect_timeout_ms);
    else
        bw_timer_start(dial->timer, 0); /* the failure is reported from there */
}

/* --- life */

int bw_dial_create(struct bw_dial **dialp, struct bw_loop *loop,
                   const struct bw_redis_options *options, bw_dial_cb *cb, void *arg,
                   struct bw_error *err)
{
    struct bw_dial *dial;
    int rc;

    if (options->path != NULL &&
        strlen(options->path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return bw_error_set(err, BW_EINVAL, "the path of the UNIX socket is too long");
    dial = bw_calloc(1, sizeof *dial);
    if (dial == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    dial->loop = loop;
    dial->options = options;
    dial->cb = cb;
    dial->arg = arg;
    rc = bw_timer_create(&dial->timer, loop, on_timer, dial);
    if (rc == BW_OK)
        rc = bw_timer_create(&dial->doubt, loop, on_doubt, dial);
    if (rc != BW_OK)
        (void)bw_error_set(err, rc, "out of memory");
    else if (options->tls)
        rc = bw_tls_get(&dial->tls, options->ca_file, err);
    if (rc != BW_OK) {
        bw_dial_destroy(&dial);
        return rc;
    }
    *dialp = dial;
    return BW_OK;
}

void bw_dial_destroy(struct bw_dial **dialp)
{
    struct bw_dial *dial = *dialp;

    if (dial == NULL)
        return;
    *dialp = NULL;
    if (dial->timer != NULL && dial->doubt != NULL)
        bw_dial_cancel(dial);
    bw_timer_destroy(&dial->timer);
    bw_timer_destroy(&dial->doubt);
    bw_tls_put(&dial->tls);
    free(dial);
}
