/* Name lookups: one short-lived, detached thread each.
 *
 * libuv's pool would do the looking up as well, but it is joined at the end of the
 * program: a resolver that does not answer would then outlast every deadline of a drain.
 */
#include "redis/loop.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/thread.h>

#include "base/alloc.h"

#define ADDRESSES_MAX 16
#define STACK_SIZE    ((size_t)512 * 1024) /* NSS modules want room */

/* Shared by the loop and the thread; the second to let go frees it. */
struct query {
    struct bw_mutex mtx;    /* guards `waker` and `holders` */
    struct bw_waker *waker; /* NULL: nobody waits any more */
    int holders;
    char *host;
    char port[8];
    int result; /* of getaddrinfo() */
    struct addrinfo *list;
};

struct bw_lookup {
    struct bw_lookup **owner;
    struct query *query;
    struct bw_waker *waker;
    void (*fn)(void *arg, int code, const struct sockaddr_storage *list,
               const socklen_t *lens, size_t count, const char *text);
    void *arg;
};

/* --- the query */

static struct query *query_create(const char *host, uint16_t port)
{
    struct query *query = bw_calloc(1, sizeof *query);

    if (query == NULL)
        return NULL;
    query->host = bw_strdup(host);
    if (query->host == NULL) {
        free(query);
        return NULL;
    }
    bw_mutex_init(&query->mtx);
    query->holders = 1;
    (void)snprintf(query->port, sizeof query->port, "%u", (unsigned)port);
    return query;
}

static void query_unref(struct query *query)
{
    int left;

    bw_mutex_lock(&query->mtx);
    left = --query->holders;
    bw_mutex_unlock(&query->mtx);
    if (left > 0)
        return;
    if (query->list != NULL)
        freeaddrinfo(query->list);
    bw_mutex_fini(&query->mtx);
    free(query->host);
    free(query);
}

static void resolve(struct query *query)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };

    query->result = getaddrinfo(query->host, query->port, &hints, &query->list);
}

static void *thread_main(void *arg)
{
    struct query *query = arg;

    resolve(query);
    bw_mutex_lock(&query->mtx);
    if (query->waker != NULL)
        bw_waker_wake(query->waker);
    bw_mutex_unlock(&query->mtx);
    query_unref(query);
    return NULL;
}

/* Signals belong to the program's own threads. */
static int start_thread(struct query *query)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    int result;

    bw_thread_check(pthread_attr_init(&attr), "pthread_attr_init");
    bw_thread_check(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED),
                    "pthread_attr_setdetachstate");
    bw_thread_check(pthread_attr_setstacksize(&attr, STACK_SIZE),
                    "pthread_attr_setstacksize");
    (void)sigfillset(&all); /* cannot fail */
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &all, &before), "pthread_sigmask");
    result = pthread_create(&thread, &attr, thread_main, query);
    bw_thread_check(pthread_sigmask(SIG_SETMASK, &before, NULL), "pthread_sigmask");
    bw_thread_check(pthread_attr_destroy(&attr), "pthread_attr_destroy");
    return result;
}

/* --- the loop's side */

static void report(const struct bw_lookup *lookup)
{
    struct sockaddr_storage list[ADDRESSES_MAX];
    socklen_t lens[ADDRESSES_MAX];
    size_t count = 0;
    const struct query *query = lookup->query;

    if (query->result != 0) {
        lookup->fn(lookup->arg, BW_EIO, NULL, NULL, 0, gai_strerror(query->result));
        return;
    }
    for (const struct addrinfo *at = query->list; at != NULL && count < ADDRESSES_MAX;
         at = at->ai_next) {
        if (at->ai_addrlen > sizeof list[0])
            continue;
        memcpy(&list[count], at->ai_addr, at->ai_addrlen);
        lens[count++] = at->ai_addrlen;
    }
    if (count == 0)
        lookup->fn(lookup->arg, BW_EIO, NULL, NULL, 0, "the name has no address");
    else
        lookup->fn(lookup->arg, BW_OK, list, lens, count, NULL);
}

static void lookup_free(struct bw_lookup *lookup)
{
    bw_waker_destroy(&lookup->waker);
    if (lookup->query != NULL)
        query_unref(lookup->query);
    free(lookup);
}

static void on_resolved(void *arg)
{
    struct bw_lookup *lookup = arg;

    *lookup->owner = NULL;
    /* The thread woke us under the lock; taking it orders what it wrote before what we
     * read. */
    bw_mutex_lock(&lookup->query->mtx);
    lookup->query->waker = NULL;
    bw_mutex_unlock(&lookup->query->mtx);
    report(lookup);
    lookup_free(lookup);
}

int bw_lookup_start(struct bw_lookup **lookupp, struct bw_loop *loop, const char *host,
                    uint16_t port,
                    void (*fn)(void *arg, int code, const struct sockaddr_storage *list,
                               const socklen_t *lens, size_t count, const char *text),
                    void *arg, struct bw_error *err)
{
    struct bw_lookup *lookup = bw_calloc(1, sizeof *lookup);
    int rc, result;

    if (lookup == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    *lookup = (struct bw_lookup){ .owner = lookupp, .fn = fn, .arg = arg };
    lookup->query = query_create(host, port);
    if (lookup->query == NULL)
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    else
        rc = bw_waker_create(&lookup->waker, loop, on_resolved, lookup, err);
    if (rc != BW_OK)
        goto fail;
    lookup->query->waker = lookup->waker;
    lookup->query->holders = 2;
    *lookupp = lookup;
    result = start_thread(lookup->query);
    if (result == 0)
        return BW_OK;
    lookup->query->holders = 1;
    *lookupp = NULL;
    rc = bw_error_errno(err, result, "thread for a name lookup");
fail:
    lookup_free(lookup);
    return rc;
}

void bw_lookup_cancel(struct bw_lookup **lookupp)
{
    struct bw_lookup *lookup = *lookupp;

    if (lookup == NULL)
        return;
    *lookupp = NULL;
    bw_mutex_lock(&lookup->query->mtx);
    lookup->query->waker = NULL;
    bw_mutex_unlock(&lookup->query->mtx);
    lookup_free(lookup);
}
