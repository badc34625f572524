/* What a request's Host header names. Any thread. */
#ifndef WORKER_HTTP_HOST_H
#define WORKER_HTTP_HOST_H

#include <stdbool.h>

/* Without regard to case, to a port behind the name, and to brackets around an IPv6
 * address. */
bool http_host_is(const char *header, const char *name);
/* localhost, or a loopback address: what no name of somebody else's can stand for. */
bool http_host_is_loopback(const char *header);

#endif
