/* The connections to the server: how many there may be, and for how long.
 *
 * A slow or silent peer cannot keep others out: where there are too many, the oldest are
 * ended, first of an address that has too many, and a request has a deadline as a whole,
 * however its bytes drip. One that has just come has a moment to say what it wants: a
 * probe does, even amid a flood. On the server's thread. */
#ifndef WORKER_HTTP_GUESTS_H
#define WORKER_HTTP_GUESTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <bulwark/time.h>

enum {
    HTTP_GUESTS_MAX = 128,       /* with those that have just come, or are being ended */
    HTTP_GUESTS_TOTAL = 48,      /* that may stay */
    HTTP_GUESTS_PER_ADDRESS = 16 /* an IPv4 address, a /64 of IPv6 */
};

struct http_guest {
    int fd; /* the connection's, borrowed */
    bool here, leaving;
    unsigned char address[16];
    struct bw_mono began; /* its request, or its wait for one */
};

struct http_guests { /* zeroed: none */
    struct http_guest slots[HTTP_GUESTS_MAX];
    uint64_t ended; /* for being too slow, or one too many */
};

/* A connection has come. NULL: there are HTTP_GUESTS_MAX. */
struct http_guest *http_guest_came(struct http_guests *guests, int fd,
                                   const struct sockaddr *address, struct bw_mono now);
/* Its request was answered: the next one has its own time. */
void http_guest_answered(struct http_guest *guest, struct bw_mono now);
/* The connection is gone. NULL is harmless. */
void http_guest_gone(struct http_guest *guest);

/* Ends those whose request takes longer than `ms`, and those that are too many. Returns
 * in how many ms there will be one to end, if nothing happens; -1: never. */
int http_guests_sweep(struct http_guests *guests, int64_t ms, struct bw_mono now);

#endif
