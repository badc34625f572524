#include "pg/pool.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bulwark/thread.h>

#include "base/assert.h"
#include "pg/dispatch.h"

#define CONNECTIONS_DEFAULT        4
#define CONNECT_TIMEOUT_DEFAULT_MS 5000

struct tickets {
    uint64_t *items;
    size_t count, cap;
};

struct pg_pool {
    struct bw_log log;
    struct pg_url url;
    struct pg_link_settings settings;
    char *search_path;
    int wake; /* eventfd: something came in, or the end */
    pthread_t thread;
    bool started;

    struct bw_mutex mtx; /* guards what follows up to stats */
    struct pg_queue incoming;
    uint64_t last_ticket;
    struct tickets cancels;
    bool stopping;
    struct pg_stats stats;

    struct pg_dispatch dispatch; /* the thread's own */
    struct pollfd *fds;
};

/* --- the thread */

/* All at once: a batch must be known before its cancellation is looked at. */
static void take_incoming(struct pg_pool *pool, struct pg_queue *incoming,
                          struct tickets *cancels, bool *stopping)
{
    bw_mutex_lock(&pool->mtx);
    pg_queue_move(incoming, &pool->incoming);
    *cancels = pool->cancels;
    pool->cancels = (struct tickets){ 0 };
    *stopping = pool->stopping;
    bw_mutex_unlock(&pool->mtx);
}

/* Frees the list. */
static void cancel_all(struct pg_pool *pool, struct tickets *cancels, struct bw_mono now)
{
    for (size_t i = 0; i < cancels->count; i++)
        pg_dispatch_cancel(&pool->dispatch, cancels->items[i], now);
    free(cancels->items);
}

static void publish(struct pg_pool *pool)
{
    const struct pg_dispatch *dispatch = &pool->dispatch;
    struct pg_stats stats = { .queued = (unsigned)dispatch->waiting.count,
                              .round_trips = dispatch->round_trips,
                              .statements = dispatch->statements,
                              .reconnects = dispatch->reconnects,
                              .reachable = dispatch->reachable };

    for (unsigned i = 0; i < dispatch->count; i++) {
        if (dispatch->links[i].state != PG_LINK_READY)
            continue;
        stats.connections++;
        if (dispatch->links[i].count > 0)
            stats.busy++;
    }
    bw_mutex_lock(&pool->mtx);
    pool->stats = stats;
    bw_mutex_unlock(&pool->mtx);
}

/* Foreign code: no lock is held, and the batch is not ours after the call. */
static void hand_back(struct pg_pool *pool)
{
    struct pg_batch *batch;

    while ((batch = pg_queue_take(&pool->dispatch.finished)) != NULL) {
        BW_ASSERT(batch->next == NULL && !(batch->outcome == PG_OK && batch->again));
        batch->done(batch, batch->arg);
    }
}

static void drain_wake(struct pg_pool *pool)
{
    uint64_t count;

    if (read(pool->wake, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
        bw_thread_check(errno, "read from an eventfd");
}

static void wait_and_serve(struct pg_pool *pool)
{
    struct pg_dispatch *dispatch = &pool->dispatch;
    size_t count = pg_dispatch_fds(dispatch);
    int timeout = pg_dispatch_poll(dispatch, pool->fds, bw_mono_now(NULL));

    pool->fds[count] = (struct pollfd){ .fd = pool->wake, .events = POLLIN };
    if (poll(pool->fds, count + 1, timeout) < 0) {
        if (errno != EINTR)
            bw_thread_check(errno, "poll");
        return;
    }
    if (pool->fds[count].revents != 0)
        drain_wake(pool);
    pg_dispatch_serve(dispatch, pool->fds, bw_mono_now(NULL));
}

static void *pool_main(void *arg)
{
    struct pg_pool *pool = arg;
    bool stopping = false;

    for (;;) {
        struct pg_queue incoming = { 0 };
        struct tickets cancels;
        struct bw_mono now = bw_mono_now(NULL);

        take_incoming(pool, &incoming, &cancels, &stopping);
        pg_dispatch_accept(&pool->dispatch, &incoming);
        cancel_all(pool, &cancels, now);
        if (stopping)
            break;
        pg_dispatch_turn(&pool->dispatch, now);
        publish(pool);
        hand_back(pool);
        wait_and_serve(pool);
    }
    pg_dispatch_fail(&pool->dispatch, "the database pool is shutting down");
    publish(pool);
    hand_back(pool);
    return NULL;
}

static void wake(struct pg_pool *pool)
{
    uint64_t one = 1;

    /* Full means that it is awake already. */
    if (write(pool->wake, &one, sizeof one) < 0 && errno != EAGAIN && errno != EINTR)
        bw_thread_check(errno, "write to an eventfd");
}

uint64_t pg_pool_submit(struct pg_pool *pool, struct pg_batch *batch, int64_t timeout_ms,
                        void (*done)(struct pg_batch *batch, void *arg), void *arg)
{
    uint64_t ticket;
    bool first;

    BW_ASSERT(done != NULL && batch->next == NULL);
    batch->deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms > 0 ? timeout_ms : 0);
    batch->done = done;
    batch->arg = arg;
    bw_mutex_lock(&pool->mtx);
    first = pool->incoming.first == NULL;
    ticket = batch->ticket = ++pool->last_ticket;
    pg_queue_add(&pool->incoming, batch);
    bw_mutex_unlock(&pool->mtx);
    if (first)
        wake(pool);
    return ticket; /* the batch may be gone by now */
}

static int add_ticket(struct tickets *tickets, uint64_t ticket)
{
    BW_ASSERT(tickets->count <= tickets->cap);
    if (tickets->count == tickets->cap) {
        size_t cap = tickets->cap == 0 ? 8 : tickets->cap * 2;
        uint64_t *grown = realloc(tickets->items, cap * sizeof *grown);

        if (grown == NULL)
            return BW_ENOMEM;
        tickets->items = grown;
        tickets->cap = cap;
    }
    tickets->items[tickets->count++] = ticket;
    return BW_OK;
}

int pg_pool_cancel(struct pg_pool *pool, uint64_t ticket)
{
    int rc;

    bw_mutex_lock(&pool->mtx);
    rc = add_ticket(&pool->cancels, ticket);
    bw_mutex_unlock(&pool->mtx);
    if (rc == BW_OK)
        wake(pool);
    return rc;
}

void pg_pool_stats(struct pg_pool *pool, struct pg_stats *stats)
{
    bw_mutex_lock(&pool->mtx);
    *stats = pool->stats;
    stats->queued += (unsigned)pool->incoming.count;
    bw_mutex_unlock(&pool->mtx);
}

/* --- life */

/* What a connection needs beyond the URL, unless the URL says otherwise: a name the
 * server's lists show, and a link that is noticed when it is half-open. */
static int add_defaults(struct pg_url *url)
{
    static const char *const defaults[][2] = {
        { "application_name", "bulwark" }, { "client_encoding", "UTF8" },
        { "keepalives_idle", "5" },        { "keepalives_interval", "2" },
        { "keepalives_count", "3" },       { "tcp_user_timeout", "10000" },
    };
    static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";

    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        if (pg_url_get(url, defaults[i][0]) == NULL &&
            pg_url_set(url, defaults[i][0], defaults[i][1]) != BW_OK)
            return BW_ENOMEM;
    if (url->verify_system_ca && access(system_ca, R_OK) == 0)
        return pg_url_set(url, "sslrootcert", system_ca);
    return BW_OK;
}

/* New: the schema as a quoted identifier; NULL when memory is out. */
static char *quote_identifier(const char *name)
{
    char *quoted = malloc(strlen(name) * 2 + 3);
    char *to = quoted;

    if (quoted == NULL)
        return NULL;
    *to++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"';
    *to = '\0';
    return quoted;
}

static int configure(struct pg_pool *pool, const struct pg_options *options,
                     struct bw_error *err)
{
    struct pg_url *url = &pool->url;
    int rc = pg_url_parse(url, options->url, err);

    if (rc != BW_OK)
        return rc;
    if (url->schema != NULL)
        pool->search_path = quote_identifier(url->schema);
    if ((url->schema != NULL && pool->search_path == NULL) || add_defaults(url) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "database pool: out of memory");
    pool->settings.url = url;
    pool->settings.search_path = pool->search_path;
    pool->settings.connect_timeout_ms =
        options->connect_timeout_ms > 0 ? options->connect_timeout_ms
        : url->connect_timeout_ms > 0   ? url->connect_timeout_ms
                                        : CONNECT_TIMEOUT_DEFAULT_MS;
    if (url->skipped != NULL)
        bw_log(&pool->log, BW_LOG_INFO, "database URL: parameters skipped",
               bw_text("parameters", url->skipped));
    return BW_OK;
}

static int build(struct pg_pool *pool, const struct pg_options *options,
                 struct bw_error *err)
{
    unsigned connections;
    int rc = configure(pool, options, err);

    if (rc != BW_OK)
        return rc;
    connections = options->connections > 0    ? options->connections
                  : pool->url.connections > 0 ? pool->url.connections
                                              : CONNECTIONS_DEFAULT;
    if (pg_dispatch_init(&pool->dispatch, &pool->settings, connections, &pool->log) !=
        BW_OK)
        return bw_error_set(err, BW_ENOMEM, "database pool: out of memory");
    pool->fds = calloc(pg_dispatch_fds(&pool->dispatch) + 1, sizeof *pool->fds);
    if (pool->fds == NULL)
        return bw_error_set(err, BW_ENOMEM, "database pool: out of memory");
    pool->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (pool->wake < 0)
        return bw_error_errno(err, errno, "database pool: eventfd");
    rc = pthread_create(&pool->thread, NULL, pool_main, pool);
    if (rc != 0)
        return bw_error_errno(err, rc, "database pool: thread");
    pool->started = true;
    return BW_OK;
}

int pg_pool_create(struct pg_pool **poolp, const struct pg_options *options,
                   struct bw_error *err)
{
    struct pg_pool *pool = calloc(1, sizeof *pool);
    int rc;

    *poolp = NULL;
    if (pool == NULL)
        return bw_error_set(err, BW_ENOMEM, "database pool: out of memory");
    pool->wake = -1;
    bw_mutex_init(&pool->mtx);
    if (options->log != NULL)
        bw_log_child(&pool->log, options->log, "part", "database");
    rc = build(pool, options, err);
    if (rc != BW_OK) {
        pg_pool_destroy(&pool);
        return rc;
    }
    *poolp = pool;
    return BW_OK;
}

static void stop(struct pg_pool *pool)
{
    bw_mutex_lock(&pool->mtx);
    pool->stopping = true;
    bw_mutex_unlock(&pool->mtx);
    wake(pool);
    bw_thread_check(pthread_join(pool->thread, NULL), "pthread_join");
}

void pg_pool_destroy(struct pg_pool **poolp)
{
    struct pg_pool *pool = *poolp;

    if (pool == NULL)
        return;
    *poolp = NULL;
    if (pool->started)
        stop(pool);
    pg_dispatch_fini(&pool->dispatch);
    pg_url_fini(&pool->url);
    free(pool->search_path);
    free(pool->cancels.items);
    free(pool->fds);
    if (pool->wake >= 0)
        (void)close(pool->wake); /* nothing is buffered in it */
    bw_mutex_fini(&pool->mtx);
    free(pool);
}
