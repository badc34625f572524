/* The two connections' life: what has to be done when one comes or goes. On the reactor.
 *
 * When a link is lost, Redis may still hold its other end: it may execute what we sent,
 * or hand a marker to a wait that nobody hears. So before anything is decided about lost
 * replies, the old ends are killed, by their ids, and only if they carry our names: after
 * a restart of Redis the same number may be someone else's. */
#ifndef BW_RUN_LINKS_H
#define BW_RUN_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>

#include "redis/conn.h"

struct bw_caller;

enum { BW_DEAD_LINKS = 16 };

/* What links tell of themselves; each may use them but not close them. */
struct bw_links_events {
    /* The command link is ready, and what has to come first is done. */
    void (*on_open)(void *arg);
    /* It is lost. */
    void (*on_lost)(const struct bw_error *why, void *arg);
    /* The same of the blocking one. */
    void (*on_wait_open)(void *arg);
    void (*on_wait_lost)(void *arg);
    void *arg;
};

struct bw_links {
    struct bw_log log;
    struct bw_links_events events;
    /* Calls may be sent while the command link is open; borrowed. */
    struct bw_caller *caller;
    struct bw_conn *command, *blocking;
    char command_name[64], blocking_name[64];
    /* Of the present links; 0: none. */
    int64_t command_id, blocking_id;
    /* Ids of lost links that may not be gone in Redis. */
    int64_t dead[BW_DEAD_LINKS];
    unsigned dead_count;
    /* An answer about the first `listed` of them is awaited. */
    bool burying;
    unsigned listed;
    /* Answers awaited. */
    unsigned kills;
};

/* `redis` is copied, the rest borrowed; `uuid` makes the connections' names. */
BW_MUSTCHECK int bw_links_prepare(struct bw_links *links, struct bw_caller *caller,
                                  const struct bw_redis_options *redis, const char *uuid,
                                  const struct bw_log *log,
                                  const struct bw_links_events *events,
                                  struct bw_error *err);
void bw_links_open(struct bw_links *links);
/* Drops both links; they come back by themselves. */
void bw_links_reset(struct bw_links *links, const char *reason);
/* A zeroed struct may be closed, and one that is closed. */
void bw_links_close(struct bw_links *links);

/* The wait can be sent; and broken, by this id (0: not). */
static inline bool bw_links_can_wait(const struct bw_links *links)
{
    return links->blocking != NULL && bw_conn_is_ready(links->blocking);
}

static inline int64_t bw_links_wait_id(const struct bw_links *links)
{
    return links->blocking_id;
}

#endif
