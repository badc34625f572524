/* What the worker's tests share: a server, a worker on it, jobs, handlers, and waiting
 * with a deadline. Functions that cannot do their work fail the test. */
#ifndef TESTS_INTEGRATION_WORKER_RIG_H
#define TESTS_INTEGRATION_WORKER_RIG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include <bulwark/bulwark.h>

#include "support/redis_server.h"

#define QUEUE "q"

/* What has to happen happens within this, however busy the machine is. */
enum { PATIENCE_MS = 20000 };
/* So much earlier than it is due something may seem to happen: clocks are read in whole
 * milliseconds, and timers, Redis and the wall have each their own. */
enum { EARLY_MS = 10 };

struct rig {
    struct redis_server server;
    struct bw_redis_options redis;
    struct bw_worker *worker;
    unsigned processors;
};

/* A server, no worker yet. `extra` as for redis_server_start(). */
void rig_open(struct rig *rig, const char *const *extra);
/* Ends the worker if there is one (drain with 2 s), then the server. */
void rig_close(struct rig *rig);

/* cmocka's setup and teardown: a test's state is a struct rig. */
int rig_setup(void **state);
int rig_setup_with(void **state, const char *const *extra);
int rig_teardown(void **state);

/* Creates a worker with one queue; options NULL: defaults with concurrency 4. Not
 * started, so that queues can be added. */
void rig_worker(struct rig *rig, const struct bw_queue_options *options,
                const struct bw_handler *handler, void *arg);
void rig_add_queue(struct rig *rig, const struct bw_queue_options *options,
                   const struct bw_handler *handler, void *arg);
void rig_start(struct rig *rig);
/* rig_worker() and rig_start(). */
void rig_run(struct rig *rig, const struct bw_queue_options *options,
             const struct bw_handler *handler, void *arg);
/* Drains, waits and destroys; returns how it ended. */
enum bw_worker_end rig_stop(struct rig *rig, int64_t timeout_ms);

/* Options with a name and concurrency. */
struct bw_queue_options rig_options(const char *name, unsigned concurrency);

/* Adds `count` jobs with this data and opts (JSON), as lib/spec/bullmq.md §3 lays down
 * for the standard path: ids from the queue's counter. */
void rig_add(struct rig *rig, const char *queue, unsigned count, const char *opts);

int64_t rig_wall_ms(void);
struct bw_queue_stats rig_stats(struct rig *rig, const char *queue);
struct bw_worker_stats rig_worker_stats(struct rig *rig);

/* Integer of a command (redis_server_integer), and texts, for assertions. */
#define rig_int(rig, ...)  redis_server_integer(&(rig)->server, __VA_ARGS__)
#define rig_text(rig, ...) redis_server_text(&(rig)->server, __VA_ARGS__)
/* Compares the text of a command and frees it. `expected` NULL: nil. */
#define rig_expect(rig, expected, ...)                                                   \
    rig_compare(rig_text(rig, __VA_ARGS__), expected, __FILE__, __LINE__)
void rig_compare(char *text, const char *expected, const char *file, int line);

/* How often `needle` stands in CLIENT LIST. */
int rig_count_clients(struct rig *rig, const char *needle);

/* Polls until the condition holds; fails the test after `ms`. */
#define rig_wait(ms, condition)                                                          \
    do {                                                                                 \
        int64_t rig_deadline_ = rig_wall_ms() + (ms);                                    \
        while (!(condition)) {                                                           \
            if (rig_wall_ms() > rig_deadline_)                                           \
                fail_msg("%s:%d: not within %d ms: %s", __FILE__, __LINE__, (int)(ms),   \
                         #condition);                                                    \
            rig_nap();                                                                   \
        }                                                                                \
    } while (0)
void rig_nap(void); /* one poll's pause */

/* --- handlers */

/* Completes with {"ok":true}, on the reactor or on a processor thread. `arg`: NULL. */
extern const struct bw_handler rig_noop_inline, rig_noop;

/* Keeps jobs until the test answers them. `arg`: a struct rig_keeper. */
struct rig_keeper {
    struct bw_mutex mutex;
    struct bw_job *jobs[4096];
    unsigned count, cancelled;
    bool told_last;
};
extern const struct bw_handler rig_keep;
/* … and notes BW_EVENT_LAST: a drain's deadline has passed, if a fetch is still out. */
extern const struct bw_handler rig_keep_until_last;
void rig_keeper_init(struct rig_keeper *keeper);
void rig_keeper_fini(struct rig_keeper *keeper);
unsigned rig_keeper_count(struct rig_keeper *keeper);
unsigned rig_keeper_cancelled(struct rig_keeper *keeper);
bool rig_keeper_told_last(struct rig_keeper *keeper);
/* Takes the oldest job kept; NULL: none. */
struct bw_job *rig_keeper_take(struct rig_keeper *keeper);
/* Waits for the job with this id and takes it: which of several jobs comes first is the
 * processor threads' affair. */
struct bw_job *rig_keeper_take_id(struct rig_keeper *keeper, const char *id);

/* A rig beside a keeper, as a test's state. */
struct keeping_rig {
    struct rig rig;
    struct rig_keeper keeper;
};
int keeping_setup(void **state);
int keeping_teardown(void **state);

/* Fails as the struct says. `arg`: a const struct bw_job_failure. */
extern const struct bw_handler rig_fail;

#endif
