#include "http/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *at;
    size_t len;
};

/* Without brackets and port. An address of IPv6 without brackets has no port. */
static struct span bare(const char *text)
{
    const char *colon = strchr(text, ':');
    const char *end = *text == '[' ? strchr(text, ']') : NULL;

    if (end != NULL)
        return (struct span){ text + 1, (size_t)(end - text) - 1 };
    if (colon == NULL || strchr(colon + 1, ':') != NULL)
        return (struct span){ text, strlen(text) };
    return (struct span){ text, (size_t)(colon - text) };
}

bool http_host_is(const char *header, const char *name)
{
    struct span a = bare(header), b = bare(name);

    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

bool http_host_is_loopback(const char *header)
{
    struct span name = bare(header);
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;

    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, text, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(text, "localhost") == 0;
}
