/* A small HTTP server for status pages: one thread, short requests, whole answers; what
 * keeps others out is ended (guests.h). The only user of libmicrohttpd.
 *
 * The callback runs on the server's thread, one request at a time, and must not block. */
#ifndef WORKER_HTTP_SERVER_H
#define WORKER_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>
#include <bulwark/log.h>

struct http_server;

struct http_request { /* borrowed for the call */
    const char *method;
    const char
        *path; /* as it was sent: percent encoding is not undone; without the query */
    const char *bearer; /* the token of "Authorization: Bearer …", or NULL */
    bool local;         /* the server listens on a loopback address */
    const char *host;   /* the Host header, or NULL */
    const char *origin; /* a browser's Origin header, or NULL */
};

struct http_response {
    unsigned status;          /* 500 unless set */
    const char *content_type; /* static; application/json unless set */
    const char *allow;        /* static; the Allow header, or NULL */
    struct bw_buf body;
};

struct http_options {
    const char *listen; /* HOST:PORT, [IPv6]:PORT; port 0: any free one */
    void (*answer)(const struct http_request *request, struct http_response *response,
                   void *arg);
    void *arg;
    const struct bw_log *log;
};

/* New. BW_EINVAL: `listen` cannot be understood; BW_ESYSTEM: it cannot be bound. */
BW_MUSTCHECK int http_server_create(struct http_server **serverp,
                                    const struct http_options *options,
                                    struct bw_error *err);
/* Blocks until the request being answered is done. NULL-safe; empties the pointer. */
void http_server_destroy(struct http_server **serverp);

/* Where it listens, e.g. "127.0.0.1:9464"; borrowed. */
const char *http_server_address(const struct http_server *server);

#endif
