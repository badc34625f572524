/* What the tests of the database pool share: a server and pools on it. */
#ifndef TESTS_INTEGRATION_PG_RIG_H
#define TESTS_INTEGRATION_PG_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bulwark/thread.h>

#include "pg/pool.h"
#include "support/pg_call.h"
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

#endif
