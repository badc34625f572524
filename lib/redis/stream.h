/* The bytes to and from Redis, over a plain socket or TLS.
 *
 * Storage of the caller, one thread; a zeroed struct is not open. Nothing blocks. */
#ifndef BW_REDIS_STREAM_H
#define BW_REDIS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/error.h>

struct bw_tls_session;

struct bw_stream {
    bool open;
    int fd;
    struct bw_tls_session *tls; /* NULL: plain */
};

/* Closes the socket. Whoever watches it must have stopped before. */
void bw_stream_fini(struct bw_stream *stream);

/* `*got` 0: nothing there now. The stream's end is BW_EIO. */
BW_MUSTCHECK int bw_stream_read(struct bw_stream *stream, void *data, size_t cap,
                                size_t *got, struct bw_error *err);
/* `*put` less than `len`: no more room now. */
BW_MUSTCHECK int bw_stream_write(struct bw_stream *stream, const void *data, size_t len,
                                 size_t *put, struct bw_error *err);

/* What to watch for (enum bw_io_events), given whether there are bytes to be written. */
int bw_stream_events(const struct bw_stream *stream, bool has_output);

#endif
