#include "redis/loop.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <uv.h>

#include <bulwark/thread.h>

#include "base/alloc.h"

struct bw_loop {
    uv_loop_t uv;
    uv_prepare_t before_sleep;
    struct bw_waker *wake;
    const struct bw_clock *clock;
    void (*on_turn)(void *arg);
    void *on_turn_arg;
    void (*on_wake)(void *arg);
    void *on_wake_arg;
    struct bw_list flushes;
    atomic_bool stop;
    bool has_now; /* the turn's instant was read; it ends when the loop sleeps */
    struct bw_mono mono;
    struct bw_wall wall;
};

struct bw_waker {
    uv_async_t uv;
    void (*fn)(void *arg);
    void *arg;
};

struct bw_timer {
    uv_timer_t uv;
    struct bw_loop *loop;
    void (*fn)(void *arg);
    void *arg;
};

struct bw_io {
    uv_poll_t uv;
    void (*fn)(void *arg, int events);
    void *arg;
};

static void check(int result, const char *what)
{
    bw_thread_check(-result, what);
}

/* libuv's errors are negated errno values. */
static int uv_failed(struct bw_error *err, int result, const char *what)
{
    if (result == UV_ENOMEM)
        return bw_error_set(err, BW_ENOMEM, "%s: out of memory", what);
    return bw_error_set(err, BW_ESYSTEM, "%s: %s", what, uv_strerror(result));
}

/* libuv keeps a handle's memory until the loop has turned once more. */
static void free_handle(uv_handle_t *handle)
{
    free(handle->data);
}

/* --- the end of a turn */

static void run_flushes(struct bw_loop *loop)
{
    struct bw_list *node;

    while ((node = bw_list_shift(&loop->flushes)) != NULL) {
        struct bw_flush *flush = BW_LIST_OF(node, struct bw_flush, node);

        flush->fn(flush->arg);
    }
}

static void end_turn(struct bw_loop *loop)
{
    if (loop->on_turn != NULL)
        loop->on_turn(loop->on_turn_arg);
    run_flushes(loop);
    loop->has_now = false;
}

static void on_prepare(uv_prepare_t *prepare)
{
    end_turn(prepare->data);
}

void bw_loop_on_turn(struct bw_loop *loop, void (*fn)(void *arg), void *arg)
{
    loop->on_turn = fn;
    loop->on_turn_arg = arg;
}

void bw_loop_flush(struct bw_loop *loop, struct bw_flush *flush)
{
    if (bw_list_is_empty(&flush->node))
        bw_list_append(&loop->flushes, &flush->node);
}

/* --- wake-ups */

static void on_async(uv_async_t *async)
{
    struct bw_waker *waker = async->data;

    waker->fn(waker->arg);
}

int bw_waker_create(struct bw_waker **wakerp, struct bw_loop *loop, void (*fn)(void *arg),
                    void *arg, struct bw_error *err)
{
    struct bw_waker *waker = bw_calloc(1, sizeof *waker);
    int result;

    if (waker == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    result = uv_async_init(&loop->uv, &waker->uv, on_async);
    if (result != 0) {
        free(waker);
        return uv_failed(err, result, "wake-up");
    }
    waker->uv.data = waker;
    waker->fn = fn;
    waker->arg = arg;
    *wakerp = waker;
    return BW_OK;
}

void bw_waker_wake(struct bw_waker *waker)
{
    check(uv_async_send(&waker->uv), "uv_async_send");
}

void bw_waker_destroy(struct bw_waker **wakerp)
{
    struct bw_waker *waker = *wakerp;

    if (waker == NULL)
        return;
    *wakerp = NULL;
    uv_close((uv_handle_t *)&waker->uv, free_handle);
}

static void on_wake(void *arg)
{
    struct bw_loop *loop = arg;

    if (atomic_load(&loop->stop))
        uv_stop(&loop->uv);
    if (loop->on_wake != NULL)
        loop->on_wake(loop->on_wake_arg);
}

void bw_loop_on_wake(struct bw_loop *loop, void (*fn)(void *arg), void *arg)
{
    loop->on_wake = fn;
    loop->on_wake_arg = arg;
}

void bw_loop_wake(struct bw_loop *loop)
{
    bw_waker_wake(loop->wake);
}

/* --- life */

int bw_loop_create(struct bw_loop **loopp, const struct bw_clock *clock,
                   struct bw_error *err)
{
    struct bw_loop *loop = bw_calloc(1, sizeof *loop);
    int result, rc;

    if (loop == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    result = uv_loop_init(&loop->uv);
    if (result != 0) {
        free(loop);
        return uv_failed(err, result, "event loop");
    }
    loop->clock = clock;
    atomic_init(&loop->stop, false);
    bw_list_init(&loop->flushes);
    check(uv_prepare_init(&loop->uv, &loop->before_sleep), "uv_prepare_init");
    loop->before_sleep.data = loop;
    check(uv_prepare_start(&loop->before_sleep, on_prepare), "uv_prepare_start");
    rc = bw_waker_create(&loop->wake, loop, on_wake, loop, err);
    if (rc != BW_OK) {
        bw_loop_destroy(&loop);
        return rc;
    }
    *loopp = loop;
    return BW_OK;
}

void bw_loop_destroy(struct bw_loop **loopp)
{
    struct bw_loop *loop = *loopp;

    if (loop == NULL)
        return;
    *loopp = NULL;
    bw_waker_destroy(&loop->wake);
    uv_close((uv_handle_t *)&loop->before_sleep, NULL);
    /* Turns until the closed handles are gone; one that is still open keeps it turning no
     * longer than this, and is a defect of its owner. */
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT);
    check(uv_loop_close(&loop->uv), "uv_loop_close");
    free(loop);
}

void bw_loop_run(struct bw_loop *loop)
{
    if (!atomic_load(&loop->stop))
        (void)uv_run(&loop->uv,
                     UV_RUN_DEFAULT); /* says whether handles are left: they are */
    end_turn(loop);
    atomic_store(&loop->stop, false);
}

void bw_loop_stop(struct bw_loop *loop)
{
    atomic_store(&loop->stop, true);
    bw_loop_wake(loop);
}

/* --- time */

static void read_now(struct bw_loop *loop)
{
    if (loop->has_now)
        return;
    loop->mono = bw_mono_now(loop->clock);
    loop->wall = bw_wall_now(loop->clock);
    loop->has_now = true;
}

struct bw_mono bw_loop_mono(const struct bw_loop *loop)
{
    read_now(
        (struct bw_loop *)loop); /* remembering is no change that a caller could see */
    return loop->mono;
}

struct bw_wall bw_loop_wall(const struct bw_loop *loop)
{
    read_now((struct bw_loop *)loop);
    return loop->wall;
}

/* --- timers */

static void on_timer(uv_timer_t *uv)
{
    struct bw_timer *timer = uv->data;

    timer->fn(timer->arg);
}

int bw_timer_create(struct bw_timer **timerp, struct bw_loop *loop, void (*fn)(void *arg),
                    void *arg)
{
    struct bw_timer *timer = bw_calloc(1, sizeof *timer);

    if (timer == NULL)
        return BW_ENOMEM;
    check(uv_timer_init(&loop->uv, &timer->uv), "uv_timer_init");
    timer->uv.data = timer;
    timer->loop = loop;
    timer->fn = fn;
    timer->arg = arg;
    *timerp = timer;
    return BW_OK;
}

void bw_timer_start(struct bw_timer *timer, int64_t delay_ms)
{
    /* The loop's own notion of time may be as old as its last sleep. */
    uv_update_time(&timer->loop->uv);
    check(uv_timer_start(&timer->uv, on_timer, delay_ms > 0 ? (uint64_t)delay_ms : 0, 0),
          "uv_timer_start");
}

void bw_timer_stop(struct bw_timer *timer)
{
    check(uv_timer_stop(&timer->uv), "uv_timer_stop");
}

bool bw_timer_is_running(const struct bw_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv) != 0;
}

void bw_timer_destroy(struct bw_timer **timerp)
{
    struct bw_timer *timer = *timerp;

    if (timer == NULL)
        return;
    *timerp = NULL;
    uv_close((uv_handle_t *)&timer->uv, free_handle);
}

/* --- sockets */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct bw_io *io = poll->data;
    int ours = 0;

    if (status != 0) {
        io->fn(io->arg, BW_IO_READ | BW_IO_WRITE | BW_IO_ERROR);
        return;
    }
    if ((events & UV_READABLE) != 0)
        ours |= BW_IO_READ;
    if ((events & UV_WRITABLE) != 0)
        ours |= BW_IO_WRITE;
    io->fn(io->arg, ours);
}

int bw_io_create(struct bw_io **iop, struct bw_loop *loop, int fd,
                 void (*fn)(void *arg, int events), void *arg, struct bw_error *err)
{
    struct bw_io *io = bw_calloc(1, sizeof *io);
    int result;

    if (io == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    result = uv_poll_init(&loop->uv, &io->uv, fd);
    if (result != 0) {
        free(io);
        return uv_failed(err, result, "watching a socket");
    }
    io->uv.data = io;
    io->fn = fn;
    io->arg = arg;
    *iop = io;
    return BW_OK;
}

void bw_io_watch(struct bw_io *io, int events)
{
    int theirs = 0;

    if ((events & BW_IO_READ) != 0)
        theirs |= UV_READABLE;
    if ((events & BW_IO_WRITE) != 0)
        theirs |= UV_WRITABLE;
    if (theirs == 0)
        check(uv_poll_stop(&io->uv), "uv_poll_stop");
    else
        check(uv_poll_start(&io->uv, theirs, on_poll), "uv_poll_start");
}

void bw_io_destroy(struct bw_io **iop)
{
    struct bw_io *io = *iop;

    if (io == NULL)
        return;
    *iop = NULL;
    uv_close((uv_handle_t *)&io->uv, free_handle);
}
