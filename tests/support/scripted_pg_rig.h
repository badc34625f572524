/* What the tests of the pool on a scripted server share. */
#ifndef TESTS_SUPPORT_SCRIPTED_PG_RIG_H
#define TESTS_SUPPORT_SCRIPTED_PG_RIG_H

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/pg_call.h"
#include "support/scripted_pg.h"

#define PATIENT_MS 30000
/* A connection up to where batches begin. */
#define OPENED "login", "settings"
/* A batch of one statement, the first time and later, and its answers. */
#define FIRST  "<PSBDES"
#define LATER  "<BDES"
#define ANSWER "2 T D:a C:SELECT_1 Z"

static const struct pg_statement one = { "s_one", "select $1", 1 };

static inline struct pg_pool *pool_on(const struct scripted_pg *server,
                                      const char *parameters, int64_t connect_timeout_ms)
{
    char url[256];
    struct pg_options options = { .url = url,
                                  .connections = 1,
                                  .connect_timeout_ms = connect_timeout_ms };
    struct bw_error err = { 0 };
    struct pg_pool *pool;

    (void)snprintf(url, sizeof url, "%s%s", scripted_pg_url(server), parameters);
    if (pg_pool_create(&pool, &options, &err) != BW_OK)
        fail_msg("%s", err.text);
    return pool;
}

static inline void start_call(struct pg_pool *pool, struct pg_call *call)
{
    pg_call_init(call);
    pg_call_add(call, &one, "v");
    pg_call_submit(pool, call, PATIENT_MS);
}

/* One batch of `one`, from now to its end. */
static inline void expect_call(struct pg_pool *pool, enum pg_outcome outcome, bool sent,
                               const char *sqlstate)
{
    struct pg_call call;

    start_call(pool, &call);
    if (pg_call_wait(&call) != outcome)
        fail_msg("outcome %d: %s", pg_batch_outcome(call.batch),
                 pg_batch_message(call.batch));
    assert_int_equal(pg_batch_sent(call.batch), sent);
    assert_string_equal(pg_batch_sqlstate(call.batch), sqlstate);
    pg_call_fini(&call);
}

#endif
