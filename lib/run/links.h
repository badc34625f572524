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

#include "redis/conn.h"

struct bw_reactor;

enum { BW_DEAD_LINKS = 16 };

struct bw_links {
    struct bw_conn *command, *blocking;
    char command_name[64];
    char *blocking_name;
    int64_t command_id, blocking_id; /* of the present links; 0: none */
    int64_t dead[BW_DEAD_LINKS];     /* ids of lost links that may not be gone in Redis */
    unsigned dead_count;
    bool burying; /* an answer about the first `listed` of them is awaited */
    unsigned listed;
    unsigned kills; /* answers awaited */
    bool recovered; /* what comes before the first script call of this link is done */
};

BW_MUSTCHECK int bw_links_prepare(struct bw_reactor *reactor, struct bw_error *err);
void bw_links_open(struct bw_reactor *reactor);
/* Drops both links; they come back by themselves. */
void bw_links_reset(struct bw_reactor *reactor, const char *reason);
void bw_links_close(struct bw_reactor *reactor);

#endif
