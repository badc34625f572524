/* The reactor's event loop: the only user of libuv, whose types do not leave loop.c.
 *
 * Everything here belongs to the loop's own thread, except bw_loop_wake(), bw_loop_stop()
 * and bw_waker_wake(). Before bw_loop_run() and after it the loop belongs to whoever
 * holds it. */
#ifndef BW_REDIS_LOOP_H
#define BW_REDIS_LOOP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <bulwark/error.h>
#include <bulwark/time.h>

#include "base/list.h"

struct bw_loop;

BW_MUSTCHECK int bw_loop_create(struct bw_loop **loopp, const struct bw_clock *clock,
                                struct bw_error *err);
/* Everything that was made on the loop must have been destroyed before. NULL-safe. */
void bw_loop_destroy(struct bw_loop **loopp);

/* Turns until bw_loop_stop(); on the calling thread, which owns the loop from now on. */
void bw_loop_run(struct bw_loop *loop);
/* From any thread. The loop ends its turn and returns from bw_loop_run(); before
 * bw_loop_run() it makes that one turn long. */
void bw_loop_stop(struct bw_loop *loop);

/* Time: read once a turn (like libuv), so all that happens in a turn shares one instant.
 */
struct bw_mono bw_loop_mono(const struct bw_loop *loop);
struct bw_wall bw_loop_wall(const struct bw_loop *loop);

/* `fn` runs at the end of each turn, before the loop sleeps: where gathered work is sent.
 * One per loop; NULL takes it away. */
void bw_loop_on_turn(struct bw_loop *loop, void (*fn)(void *arg), void *arg);

/* From any thread: runs `fn` on the loop soon; calls are merged. One per loop. */
void bw_loop_on_wake(struct bw_loop *loop, void (*fn)(void *arg), void *arg);
void bw_loop_wake(struct bw_loop *loop);

/* A wake-up of one's own, for what shares the loop. bw_waker_wake() may be called from
 * any thread as long as the waker lives. */
struct bw_waker;
BW_MUSTCHECK int bw_waker_create(struct bw_waker **wakerp, struct bw_loop *loop,
                                 void (*fn)(void *arg), void *arg, struct bw_error *err);
void bw_waker_wake(struct bw_waker *waker);
void bw_waker_destroy(struct bw_waker **wakerp);

/* Once after the turn's `on_turn`, before the loop sleeps: where a connection writes what
 * the turn gathered. Storage of its owner: set `fn` and `arg`, init the node. Asking
 * twice is asking once; asking from inside a flush is answered in the same turn. */
struct bw_flush {
    struct bw_list node;
    void (*fn)(void *arg);
    void *arg;
};
void bw_loop_flush(struct bw_loop *loop, struct bw_flush *flush);

/* Timers. One shot; starting a running timer moves it. Storage is the loop's; destroy in
 * any state. */
struct bw_timer;
BW_MUSTCHECK int bw_timer_create(struct bw_timer **timerp, struct bw_loop *loop,
                                 void (*fn)(void *arg), void *arg);
void bw_timer_start(struct bw_timer *timer, int64_t delay_ms);
void bw_timer_stop(struct bw_timer *timer);
bool bw_timer_is_running(const struct bw_timer *timer);
void bw_timer_destroy(struct bw_timer **timerp);

/* A socket of ours watched for readiness. The fd stays the caller's and must outlive the
 * watch. */
enum bw_io_events {
    BW_IO_READ = 1,
    BW_IO_WRITE = 2,
    BW_IO_ERROR =
        4 /* with both others; no further events come: read or write to learn why */
};
struct bw_io;
BW_MUSTCHECK int bw_io_create(struct bw_io **iop, struct bw_loop *loop, int fd,
                              void (*fn)(void *arg, int events), void *arg,
                              struct bw_error *err);
void bw_io_watch(struct bw_io *io, int events); /* 0: pause */
void bw_io_destroy(struct bw_io **iop);

/* Name lookup off the loop's thread (lookup.c). The callback gets BW_OK and a list that
 * is its own for the call, or an error with its text. `*lookupp` must stay in place: it
 * is emptied before the callback. A cancelled lookup calls nothing and holds up nobody,
 * however long the resolver takes. */
struct bw_lookup;
BW_MUSTCHECK int
bw_lookup_start(struct bw_lookup **lookupp, struct bw_loop *loop, const char *host,
                uint16_t port,
                void (*fn)(void *arg, int code, const struct sockaddr_storage *list,
                           const socklen_t *lens, size_t count, const char *text),
                void *arg, struct bw_error *err);
void bw_lookup_cancel(struct bw_lookup **lookupp);

#endif
