/* What the tests of the database pool share: a server, pools on it, and batches one can
 * wait for. */
#ifndef TESTS_INTEGRATION_PG_RIG_H
#define TESTS_INTEGRATION_PG_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bulwark/thread.h>

#include "pg/pool.h"
#include "support/pg_server.h"

struct pg_rig {
    struct pg_server server;
    struct bw_mutex mtx; /* guards lines */
    char lines[16384];   /* what was logged, one line each, level warning and above */
    struct bw_log_sink sink;
    struct bw_log log;
};

struct pg_rig *pg_rig_create(void);
void pg_rig_destroy(struct pg_rig **rigp);
/* New. `parameters` are put behind the server's URL; NULL: none. */
struct pg_pool *pg_rig_pool(struct pg_rig *rig, const char *parameters,
                            unsigned connections);

int64_t pg_rig_now_ms(void);
/* Each waits until it is so, and fails the test after some seconds. */
void pg_rig_wait_sql(const struct pg_rig *rig, const char *sql);
void pg_rig_wait_trips(struct pg_pool *pool, uint64_t round_trips);
void pg_rig_wait_reachable(struct pg_pool *pool, bool reachable);

/* One batch and the wait for it. */
struct pg_call {
    struct pg_batch *batch;
    struct bw_mutex mtx; /* guards times */
    struct bw_cond done;
    unsigned times; /* how often `done` was called */
    uint64_t ticket;
};

void pg_call_init(struct pg_call *call);
void pg_call_fini(struct pg_call *call);
/* As many texts (or NULL) as the statement has parameters. */
void pg_call_add(struct pg_call *call, const struct pg_statement *statement, ...);
void pg_call_submit(struct pg_pool *pool, struct pg_call *call, int64_t timeout_ms);
enum pg_outcome pg_call_wait(struct pg_call *call);
/* submit and wait */
enum pg_outcome pg_call_run(struct pg_pool *pool, struct pg_call *call,
                            int64_t timeout_ms);

#endif
