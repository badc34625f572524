/* A TCP relay between a worker and its server, whose links a test can cut and whose
 * replies it can make vanish. One thread of its own; functions from the test's thread. */
#ifndef TESTS_INTEGRATION_PROXY_H
#define TESTS_INTEGRATION_PROXY_H

#include <stdint.h>

struct proxy;

/* Listens on a free loopback port and relays to `server_port`. Aborts when it cannot. */
struct proxy *proxy_start(uint16_t server_port);
void proxy_stop(struct proxy **proxyp);
uint16_t proxy_port(const struct proxy *proxy);

/* What the server says on the present links is thrown away from now on; they look alive.
 * New ones relay. */
void proxy_swallow(struct proxy *proxy);
/* What the server says waits until it is released. */
void proxy_hold(struct proxy *proxy);
void proxy_release(struct proxy *proxy);
/* Cuts all links. */
void proxy_cut(struct proxy *proxy);
/* The clients' ends are cut, the server's stay open: half-open links. */
void proxy_forsake(struct proxy *proxy);

#endif
