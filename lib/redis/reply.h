/* Replies of Redis, read from bytes as they come: hiredis parses, an arena holds the
 * result.
 *
 * A reader belongs to one thread. The peer is not trusted: depth, elements and bytes of
 * one reply are limited; whatever is over a limit or no RESP2 is BW_EPROTO, and the
 * reader is of no more use. */
#ifndef BW_REDIS_REPLY_H
#define BW_REDIS_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/redis.h>

#define BW_REPLY_DEPTH_MAX    7 /* what hiredis 0.14 can do */
#define BW_REPLY_ELEMENTS_MAX ((size_t)1 << 20)
#define BW_REPLY_BYTES_MAX    ((size_t)1 << 30)

struct bw_reply {
    enum bw_reply_kind kind;
    union {
        struct {
            const char *data; /* ended by a NUL */
            size_t len;
        } text;
        int64_t integer;
        struct {
            struct bw_reply *list;
            size_t count;
        } elements;
    };
};

struct bw_reader;

/* `bytes_max` is for one reply, unread input included; 0: BW_REPLY_BYTES_MAX. */
BW_MUSTCHECK int bw_reader_create(struct bw_reader **readerp, size_t bytes_max);
void bw_reader_destroy(struct bw_reader **readerp);

/* Adds bytes that were received. BW_ENOMEM, or BW_EPROTO over the limit. */
BW_MUSTCHECK int bw_reader_feed(struct bw_reader *reader, const void *data, size_t len,
                                struct bw_error *err);
/* The next whole reply, borrowed until the next call; NULL when more bytes are needed. */
BW_MUSTCHECK int bw_reader_next(struct bw_reader *reader, const struct bw_reply **reply,
                                struct bw_error *err);

#endif
