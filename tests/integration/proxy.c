#include "integration/proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bulwark/thread.h>

enum { LINKS = 64, TURN_MS = 20 };

struct link {
    int client, server; /* -1: closed */
    bool swallow;       /* what the server says is thrown away */
};

struct proxy {
    pthread_t thread;
    int listener;
    uint16_t port, server_port;
    struct link links[LINKS]; /* the thread's; open ones first */
    unsigned count;
    struct bw_mutex mutex; /* guards the rest */
    bool swallow, cut, forsake, hold, release, stop;
    bool held; /* the thread's */
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        must(close(*fd) == 0, "proxy: close");
    *fd = -1;
}

static void accept_link(struct proxy *proxy)
{
    struct sockaddr_in at = loopback(proxy->server_port);
    struct link link = { accept(proxy->listener, NULL, NULL), -1, false };

    must(link.client >= 0, "proxy: accept");
    must(proxy->count < LINKS, "proxy: too many links");
    link.server = socket(AF_INET, SOCK_STREAM, 0);
    must(link.server >= 0, "proxy: socket");
    if (connect(link.server, (struct sockaddr *)&at, sizeof at) != 0) {
        close_end(&link.client);
        close_end(&link.server);
        return;
    }
    proxy->links[proxy->count++] = link;
}

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* False when either end is gone. */
static bool relay(int from, int to, bool swallow)
{
    char data[65536];
    ssize_t got = recv(from, data, sizeof data, 0);

    if (got <= 0)
        return false;
    return swallow || send_all(to, data, (size_t)got);
}

static void relay_links(struct proxy *proxy, const struct pollfd *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct link *link = &proxy->links[i];
        const struct pollfd *ends = &fds[1 + 2 * i];
        bool alive = true;

        if (ends[0].revents != 0)
            alive = relay(link->client, link->server, false);
        if (alive && ends[1].revents != 0)
            alive = relay(link->server, link->client, link->swallow);
        if (alive)
            continue;
        close_end(&link->client);
        close_end(&link->server);
    }
}

/* Closed links go; a forsaken one keeps its server's end until the proxy ends. */
static void tidy(struct proxy *proxy)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < proxy->count; i++) {
        if (proxy->links[i].client >= 0 || proxy->links[i].server >= 0)
            proxy->links[kept++] = proxy->links[i];
    }
    proxy->count = kept;
}

static void close_links(struct proxy *proxy, bool clients_only)
{
    for (unsigned i = 0; i < proxy->count; i++) {
        close_end(&proxy->links[i].client);
        if (!clients_only)
            close_end(&proxy->links[i].server);
    }
}

static void swallow_links(struct proxy *proxy)
{
    for (unsigned i = 0; i < proxy->count; i++)
        proxy->links[i].swallow = true;
}

/* Does what the test has asked for. False: the end. */
static bool take_orders(struct proxy *proxy)
{
    bool go_on;

    bw_mutex_lock(&proxy->mutex);
    if (proxy->swallow)
        swallow_links(proxy);
    if (proxy->cut || proxy->forsake)
        close_links(proxy, !proxy->cut);
    if (proxy->hold || proxy->release)
        proxy->held = proxy->hold;
    proxy->swallow = proxy->cut = proxy->forsake = proxy->hold = proxy->release = false;
    go_on = !proxy->stop;
    bw_mutex_unlock(&proxy->mutex);
    tidy(proxy);
    return go_on;
}

static void *proxy_main(void *arg)
{
    struct proxy *proxy = arg;

    while (take_orders(proxy)) {
        struct pollfd fds[1 + 2 * LINKS] = { { proxy->listener, POLLIN, 0 } };
        unsigned count = proxy->count;

        for (unsigned i = 0; i < count; i++) {
            bool heard = proxy->links[i].client >= 0 && !proxy->held;

            fds[1 + 2 * i] = (struct pollfd){ proxy->links[i].client, POLLIN, 0 };
            fds[2 + 2 * i] =
                (struct pollfd){ heard ? proxy->links[i].server : -1, POLLIN, 0 };
        }
        if (poll(fds, 1 + 2 * count, TURN_MS) <= 0)
            continue;
        relay_links(proxy, fds, count);
        if (fds[0].revents != 0)
            accept_link(proxy);
    }
    close_links(proxy, false);
    return NULL;
}

struct proxy *proxy_start(uint16_t server_port)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;

    must(proxy != NULL, "proxy");
    bw_mutex_init(&proxy->mutex);
    proxy->server_port = server_port;
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    must(proxy->listener >= 0, "proxy: socket");
    must(bind(proxy->listener, (struct sockaddr *)&at, sizeof at) == 0, "proxy: bind");
    must(listen(proxy->listener, 64) == 0, "proxy: listen");
    must(getsockname(proxy->listener, (struct sockaddr *)&at, &len) == 0, "proxy: port");
    proxy->port = ntohs(at.sin_port);
    bw_thread_check(pthread_create(&proxy->thread, NULL, proxy_main, proxy), "proxy");
    return proxy;
}

void proxy_stop(struct proxy **proxyp)
{
    struct proxy *proxy = *proxyp;

    if (proxy == NULL)
        return;
    *proxyp = NULL;
    bw_mutex_lock(&proxy->mutex);
    proxy->stop = true;
    bw_mutex_unlock(&proxy->mutex);
    bw_thread_check(pthread_join(proxy->thread, NULL), "proxy");
    close_end(&proxy->listener);
    bw_mutex_fini(&proxy->mutex);
    free(proxy);
}

uint16_t proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

/* Waits until the thread has taken it over: then it holds for every byte that follows. */
static void give_order(struct proxy *proxy, bool *order)
{
    bool taken = false;

    bw_mutex_lock(&proxy->mutex);
    *order = true;
    bw_mutex_unlock(&proxy->mutex);
    while (!taken) {
        (void)poll(NULL, 0, 2); /* a pause */
        bw_mutex_lock(&proxy->mutex);
        taken = !*order;
        bw_mutex_unlock(&proxy->mutex);
    }
}

void proxy_swallow(struct proxy *proxy)
{
    give_order(proxy, &proxy->swallow);
}

void proxy_hold(struct proxy *proxy)
{
    give_order(proxy, &proxy->hold);
}

void proxy_release(struct proxy *proxy)
{
    give_order(proxy, &proxy->release);
}

void proxy_cut(struct proxy *proxy)
{
    give_order(proxy, &proxy->cut);
}

void proxy_forsake(struct proxy *proxy)
{
    give_order(proxy, &proxy->forsake);
}
