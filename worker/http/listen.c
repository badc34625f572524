#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 512 /* who comes amid a flood waits here */

struct host_port {
    char host[256];
    char port[8];
};

static bool is_port(const char *text)
{
    unsigned number = 0;

    if (*text == '\0' || strlen(text) > 5)
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (unsigned)(*text - '0');
    }
    return number <= 65535;
}

/* The host of an IPv6 address stands in brackets. */
static bool split(const char *text, struct host_port *out)
{
    const char *colon = strrchr(text, ':');
    size_t len;

    if (colon == NULL || !is_port(colon + 1))
        return false;
    len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len) != NULL) {
        return false;
    }
    if (len == 0 || len >= sizeof out->host)
        return false;
    memcpy(out->host, text, len);
    out->host[len] = '\0';
    (void)snprintf(out->port, sizeof out->port, "%s", colon + 1);
    return true;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof in);
        return (ntohl(in.sin_addr.s_addr) >> 24) == 127;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof in6);
        return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    }
    return false;
}

static int bind_to(const struct addrinfo *info, struct bw_error *err)
{
    int one = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return bw_error_errno(err, errno, "socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    (void)bw_error_errno(err, errno, "cannot listen");
    (void)close(fd); /* it was never used */
    return BW_ESYSTEM;
}

static int name_it(struct http_listen *listen, struct bw_error *err)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char host[INET6_ADDRSTRLEN];
    char port[8];

    if (getsockname(listen->fd, (struct sockaddr *)&address, &len) != 0)
        return bw_error_errno(err, errno, "getsockname");
    listen->loopback = is_loopback((struct sockaddr *)&address);
    if (getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port,
                    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return bw_error_set(err, BW_ESYSTEM, "getnameinfo failed");
    (void)snprintf(listen->address, sizeof listen->address,
                   address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return BW_OK;
}

int http_listen_check(const char *text, struct bw_error *err)
{
    struct host_port at;

    return split(text, &at)
               ? BW_OK
               : bw_error_set(err, BW_EINVAL, "must be HOST:PORT or [IPv6]:PORT");
}

int http_listen_open(struct http_listen *listen, const char *text, struct bw_error *err)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found;
    struct host_port at;
    int rc;

    *listen = (struct http_listen){ .fd = -1 };
    if (!split(text, &at))
        return bw_error_set(err, BW_EINVAL, "must be HOST:PORT or [IPv6]:PORT");
    rc = getaddrinfo(at.host, at.port, &hints, &found);
    if (rc != 0)
        return bw_error_set(err, BW_EINVAL, "%.100s: %s", at.host, gai_strerror(rc));
    rc = bind_to(found, err);
    freeaddrinfo(found);
    if (rc < 0)
        return rc;
    listen->fd = rc;
    rc = name_it(listen, err);
    if (rc != BW_OK) {
        (void)close(listen->fd); /* it was never used */
        listen->fd = -1;
    }
    return rc;
}
