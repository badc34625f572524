#include "http/guests.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

enum { YOUNG_MS = 200 }; /* so long nobody is one too many */

/* --- addresses */

/* What counts as one peer. */
static void name_peer(unsigned char out[16], const struct sockaddr *address)
{
    memset(out, 0, 16);
    if (address == NULL)
        return;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof in);
        memcpy(out + 12, &in.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        bool mapped;

        memcpy(&in6, address, sizeof in6);
        mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
        memcpy(out, &in6.sin6_addr, mapped ? 16 : 8);
    }
}

/* --- ending */

static bool stays(const struct http_guest *guest)
{
    return guest->here && !guest->leaving;
}

/* The server's library sees the end of the stream and closes it. */
static void end(struct http_guests *guests, struct http_guest *guest)
{
    guest->leaving = true;
    guests->ended++;
    (void)shutdown(guest->fd, SHUT_RDWR); /* it may have gone by itself */
}

/* Those that stay, of one address or (NULL) all; `*oldest` is the first of them. */
static size_t count(struct http_guests *guests, const unsigned char *address,
                    struct http_guest **oldest)
{
    size_t found = 0;

    *oldest = NULL;
    for (size_t i = 0; i < HTTP_GUESTS_MAX; i++) {
        struct http_guest *guest = &guests->slots[i];

        if (!stays(guest) ||
            (address != NULL && memcmp(guest->address, address, 16) != 0))
            continue;
        found++;
        if (*oldest == NULL || bw_mono_before(guest->began, (*oldest)->began))
            *oldest = guest;
    }
    return found;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Ends the oldest until `most` are left. Returns in how many ms the next one has had its
 * moment; -1: enough have gone. */
static int64_t reduce(struct http_guests *guests, const unsigned char *address,
                      size_t most, struct bw_mono now)
{
    struct http_guest *oldest;

    while (count(guests, address, &oldest) > most) {
        int64_t left = bw_mono_ms_until(now, bw_mono_add_ms(oldest->began, YOUNG_MS));

        if (left > 0)
            return left;
        end(guests, oldest);
    }
    return -1;
}

static int64_t end_overdue(struct http_guests *guests, int64_t ms, struct bw_mono now)
{
    int64_t next = -1;

    for (size_t i = 0; i < HTTP_GUESTS_MAX; i++) {
        struct http_guest *guest = &guests->slots[i];
        int64_t left = bw_mono_ms_until(now, bw_mono_add_ms(guest->began, ms));

        if (stays(guest) && left > 0)
            next = sooner(next, left);
        else if (stays(guest))
            end(guests, guest);
    }
    return next;
}

/* --- coming and going */

struct http_guest *http_guest_came(struct http_guests *guests, int fd,
                                   const struct sockaddr *address, struct bw_mono now)
{
    for (size_t i = 0; i < HTTP_GUESTS_MAX; i++) {
        struct http_guest *guest = &guests->slots[i];

        if (guest->here)
            continue;
        *guest = (struct http_guest){ .fd = fd, .began = now };
        name_peer(guest->address, address);
        guest->here = true;
        return guest;
    }
    return NULL;
}

void http_guest_answered(struct http_guest *guest, struct bw_mono now)
{
    guest->began = now;
}

void http_guest_gone(struct http_guest *guest)
{
    if (guest != NULL)
        guest->here = false;
}

int http_guests_sweep(struct http_guests *guests, int64_t ms, struct bw_mono now)
{
    int64_t next = end_overdue(guests, ms, now);

    for (size_t i = 0; i < HTTP_GUESTS_MAX; i++) {
        if (stays(&guests->slots[i]))
            next = sooner(next, reduce(guests, guests->slots[i].address,
                                       HTTP_GUESTS_PER_ADDRESS, now));
    }
    return (int)sooner(next, reduce(guests, NULL, HTTP_GUESTS_TOTAL, now));
}
