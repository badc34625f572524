#include "redis/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redis/loop.h"
#include "redis/tls.h"

void bw_stream_fini(struct bw_stream *stream)
{
    bw_tls_session_destroy(&stream->tls);
    if (stream->open)
        (void)close(stream->fd); /* what is unsent is given up on purpose */
    *stream = (struct bw_stream){ 0 };
}

static int failed(struct bw_error *err, int errnum, const char *what)
{
    (void)bw_error_errno(err, errnum, "%s", what);
    if (err != NULL)
        err->code = BW_EIO;
    return BW_EIO;
}

static bool is_busy(int errnum)
{
    return errnum == EAGAIN || errnum == EWOULDBLOCK;
}

int bw_stream_read(struct bw_stream *stream, void *data, size_t cap, size_t *got,
                   struct bw_error *err)
{
    ssize_t len;

    if (stream->tls != NULL)
        return bw_tls_read(stream->tls, data, cap, got, err);
    *got = 0;
    do
        len = recv(stream->fd, data, cap, 0);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return is_busy(errno) ? BW_OK : failed(err, errno, "receiving");
    if (len == 0)
        return bw_error_set(err, BW_EIO, "Redis closed the connection");
    *got = (size_t)len;
    return BW_OK;
}

static int write_plain(const struct bw_stream *stream, const char *data, size_t len,
                       size_t *put, struct bw_error *err)
{
    ssize_t result;

    do
        result = send(stream->fd, data, len, MSG_NOSIGNAL);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return is_busy(errno) ? BW_OK : failed(err, errno, "sending");
    *put = (size_t)result;
    return BW_OK;
}

/* TLS takes one record at a time. */
static int write_tls(struct bw_stream *stream, const char *data, size_t len, size_t *put,
                     struct bw_error *err)
{
    while (*put < len) {
        size_t step = 0;
        int rc = bw_tls_write(stream->tls, data + *put, len - *put, &step, err);

        if (rc != BW_OK || step == 0)
            return rc;
        *put += step;
    }
    return BW_OK;
}

int bw_stream_write(struct bw_stream *stream, const void *data, size_t len, size_t *put,
                    struct bw_error *err)
{
    *put = 0;
    if (stream->tls != NULL)
        return write_tls(stream, data, len, put, err);
    return write_plain(stream, data, len, put, err);
}

int bw_stream_events(const struct bw_stream *stream, bool has_output)
{
    bool writes = has_output || (stream->tls != NULL && bw_tls_wants_write(stream->tls));

    return BW_IO_READ | (writes ? BW_IO_WRITE : 0);
}
