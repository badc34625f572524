#include "support/pg_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_MS 60000
#define PARAMS_MAX  8

void pg_call_init(struct pg_call *call)
{
    memset(call, 0, sizeof *call);
    bw_mutex_init(&call->mtx);
    bw_cond_init(&call->done);
    assert_int_equal(pg_batch_create(&call->batch), BW_OK);
}

void pg_call_fini(struct pg_call *call)
{
    pg_batch_destroy(&call->batch);
    bw_cond_fini(&call->done);
    bw_mutex_fini(&call->mtx);
}

void pg_call_add(struct pg_call *call, const struct pg_statement *statement, ...)
{
    const char *params[PARAMS_MAX];
    va_list args;

    assert_true(statement->params <= PARAMS_MAX);
    va_start(args, statement);
    for (unsigned i = 0; i < statement->params; i++)
        params[i] = va_arg(args, const char *);
    va_end(args);
    assert_true(pg_batch_add(call->batch, statement, params, statement->params) >= 0);
}

static void call_done(struct pg_batch *batch, void *arg)
{
    struct pg_call *call = arg;

    (void)batch;
    bw_mutex_lock(&call->mtx);
    call->times++;
    bw_cond_signal(&call->done);
    bw_mutex_unlock(&call->mtx);
}

void pg_call_submit(struct pg_pool *pool, struct pg_call *call, int64_t timeout_ms)
{
    call->times = 0;
    call->ticket = pg_pool_submit(pool, call->batch, timeout_ms, call_done, call);
}

enum pg_outcome pg_call_wait(struct pg_call *call)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);
    bool in_time = true;

    bw_mutex_lock(&call->mtx);
    while (call->times == 0 && in_time)
        in_time = bw_cond_wait_until(&call->done, &call->mtx, deadline);
    bw_mutex_unlock(&call->mtx);
    if (!in_time)
        fail_msg("a batch is never done");
    return pg_batch_outcome(call->batch);
}

enum pg_outcome pg_call_run(struct pg_pool *pool, struct pg_call *call,
                            int64_t timeout_ms)
{
    pg_call_submit(pool, call, timeout_ms);
    return pg_call_wait(call);
}
