/* Who does what when: batches to connections, deadlines, opening and reopening,
 * cancelling.
 *
 * Belongs to the pool's thread. Batches that ended collect in `finished`; whoever turns
 * the dispatch hands them back. */
#ifndef WORKER_PG_DISPATCH_H
#define WORKER_PG_DISPATCH_H

#include <poll.h>

#include "pg/link.h"

struct pg_dispatch {
    const struct bw_log *log;
    struct pg_link *links;
    unsigned count;
    struct pg_link canceller; /* sends cancel requests; open only while there are some */
    struct bw_mono canceller_idle_since;

    struct pg_queue waiting;
    struct bw_mono next_expiry; /* no waiting batch's deadline is before it */
    struct pg_queue finished;

    int64_t backoff_ms; /* 0: the last attempt was good */
    struct bw_mono retry_at;
    bool reachable;
    bool told; /* that it is not reachable */
    char error[PG_BATCH_TEXT_MAX];

    uint64_t round_trips, statements, reconnects;
    bool was_ready; /* ever */
    unsigned lost;  /* connections lost and not yet replaced */
};

BW_MUSTCHECK int pg_dispatch_init(struct pg_dispatch *dispatch,
                                  const struct pg_link_settings *settings,
                                  unsigned connections, const struct bw_log *log);
/* Everything must have ended: pg_dispatch_fail() first. */
void pg_dispatch_fini(struct pg_dispatch *dispatch);

/* Takes the batches of `incoming`. */
void pg_dispatch_accept(struct pg_dispatch *dispatch, struct pg_queue *incoming);
/* Moves the deadline of the batch with this ticket to `now`, wherever it is; the next
 * turn ends it. Does nothing when it has ended. */
void pg_dispatch_cancel(struct pg_dispatch *dispatch, uint64_t ticket,
                        struct bw_mono now);
/* Everything that is due: sends what can be sent, gives back what is past its deadline,
 * opens, closes and cancels. */
void pg_dispatch_turn(struct pg_dispatch *dispatch, struct bw_mono now);

/* How many entries pg_dispatch_poll() fills at most. */
size_t pg_dispatch_fds(const struct pg_dispatch *dispatch);
/* Fills in what to wait for, one entry a connection (fd -1 where there is none), and
 * returns for how long at most in milliseconds, -1 for ever. */
int pg_dispatch_poll(struct pg_dispatch *dispatch, struct pollfd *fds,
                     struct bw_mono now);
/* Serves what poll() reported in the same array. */
void pg_dispatch_serve(struct pg_dispatch *dispatch, const struct pollfd *fds,
                       struct bw_mono now);

/* Closes everything and ends every batch as transient. */
void pg_dispatch_fail(struct pg_dispatch *dispatch, const char *reason);

#endif
