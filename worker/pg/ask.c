#include "pg/ask.h"

#include "base/latch.h"

static void answered(struct pg_batch *batch, void *arg)
{
    (void)batch;
    wk_latch_open(arg);
}

int wk_ask_pg(const char *url, const struct bw_log *log, struct pg_batch *batch,
              struct bw_error *err)
{
    struct pg_options options = { .url = url, .connections = 1, .log = log };
    struct pg_pool *pool = NULL;
    struct wk_latch latch;

    if (pg_pool_create(&pool, &options, err) != BW_OK)
        return bw_error_prefix(err, "database.url");
    wk_latch_init(&latch);
    (void)pg_pool_submit(pool, batch, WK_ASK_TIMEOUT_MS / 2, answered, &latch);
    (void)wk_latch_wait(&latch, WK_ASK_TIMEOUT_MS);
    pg_pool_destroy(&pool); /* hands back what it still has: the latch is open now */
    wk_latch_fini(&latch);
    if (pg_batch_outcome(batch) != PG_OK)
        return bw_error_set(err, BW_EIO, "PostgreSQL: %s", pg_batch_message(batch));
    return BW_OK;
}
