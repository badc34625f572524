/* A listening TCP socket from "HOST:PORT". */
#ifndef WORKER_HTTP_LISTEN_H
#define WORKER_HTTP_LISTEN_H

#include <stdbool.h>

#include <bulwark/error.h>

struct http_listen {
    int fd; /* the caller's to close */
    bool loopback;
    char address[80]; /* with the port that was really bound */
};

/* BW_EINVAL unless `text` is written as one. Asks nobody. */
BW_MUSTCHECK int http_listen_check(const char *text, struct bw_error *err);

/* BW_EINVAL: not an address; BW_ESYSTEM: it cannot be bound. */
BW_MUSTCHECK int http_listen_open(struct http_listen *listen, const char *text,
                                  struct bw_error *err);

#endif
