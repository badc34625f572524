/* One batch for a pool and the wait for it. Belongs to the test's thread; a wait that
 * takes a minute fails the test. */
#ifndef TESTS_SUPPORT_PG_CALL_H
#define TESTS_SUPPORT_PG_CALL_H

#include <stdint.h>

#include <bulwark/thread.h>

#include "pg/pool.h"

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
