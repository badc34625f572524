/* Operations of a run: each completion posts the run to the worker's threads. */
#include "workflow/run/io.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/fault_point.h"
#include "workflow/run/job.h"
#include "workflow/run/node_result.h"
#include "workflow/run/task.h"
#include "workflow/base/mem.h"
#include "workflow/engine/trouble.h"
#include "workflow/run/under_way.h"
#include "workflow/language/event.h"

#define DB_TRIES   3
#define TELL_MS    60000
#define MISSING_MS 30000
#define BUSY_MS    1000

static wf_step db_settled, submit, tell_unneeded;

static void kv_done(struct wf_kv *kv, void *arg)
{
    struct wf_run *run = arg;

    BW_ASSERT(kv == &run->kv && run->step != NULL);
    run->redis_away = false;
    for (size_t i = 0; i < kv->count; i++) {
        if (kv->items[i].memory) {
            run->redis_away = true;
            wf_count(&run->engine->counters.redis_away);
        }
    }
    wf_run_post(run, run->step);
}

void wf_run_kv(struct wf_run *run, wf_step *step)
{
    BW_ASSERT(step != NULL);
    run->step = step;
    wf_kv_submit(&run->engine->keys, &run->kv, kv_done, run);
}

struct wf_kv *wf_run_keys(struct wf_run *run)
{
    wf_kv_clear(&run->kv);
    return &run->kv;
}

void wf_db_begin(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;

    effects->batch_destroy(&run->db.batch);
    run->db.batch = effects->batch_create(effects->arg);
    run->db.tries = 0;
    run->db.writes = false;
}

void wf_db_once(struct wf_run *run)
{
    BW_ASSERT(run->db.batch != NULL);
    run->db.tries = DB_TRIES - 1;
}

size_t wf_db_add_list(struct wf_run *run, enum wf_sql sql, const char *const *params,
                      size_t count)
{
    struct wf_engine *engine = run->engine;

    BW_ASSERT(run->db.batch != NULL);
    /* a look-up changes something at /start only: it cancels waits */
    run->db.writes =
        run->db.writes ||
        (sql == WF_SQL_lookup ? run->event.kind == WF_EVENT_START : !wf_store_reads(sql));
    wf_count(&engine->counters.db_statements);
    return engine->effects->batch_add(run->db.batch, sql, params, count);
}

void wf_db_run(struct wf_run *run, wf_step *step, wf_step *refused)
{
    BW_ASSERT(step != NULL);
    run->db.then = step;
    run->db.refused = refused;
    submit(run);
}

static void db_done(struct wf_batch *batch, void *arg)
{
    struct wf_run *run = arg;

    BW_ASSERT(run->db.batch == NULL && batch != NULL);
    wf_under_way_over(run);
    run->db.batch = batch;
    wf_run_post(run, db_settled);
}

/* A deadlock or a serialization failure undid everything: the batch may be repeated at
 * once. A server that is away is the pool's matter, as long as the batch has time. */
static bool repeatable(const struct wf_run *run)
{
    const char *state = wf_db_sqlstate(run);

    return strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0;
}

static void db_settled(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;
    enum wf_db_outcome outcome = effects->batch_outcome(run->db.batch);
    const char *message = effects->batch_message(run->db.batch);

    BW_ASSERT(run->db.then != NULL);
    wf_fault_point("database");
    if (outcome == WF_DB_OK) {
        run->attempt.left = run->attempt.left || run->db.writes;
        atomic_store_explicit(&run->engine->db_heard_at, wf_engine_mono(run->engine).ns,
                              memory_order_relaxed);
        run->db.then(run);
        return;
    }
    if (!wf_job_cancelled(run) &&
        wf_trouble_is(run->engine, run->db.batch, &run->attempt.tried)) {
        wf_run_hand_back(run);
        return;
    }
    if (outcome != WF_DB_REFUSED) {
        if (++run->db.tries < DB_TRIES && repeatable(run))
            wf_run_after(run, 100 * (int64_t)run->db.tries, submit);
        else if (outcome == WF_DB_TRANSIENT && *wf_db_sqlstate(run) == '\0')
            /* a connection was cut, or all are busy: not the job's fault */
            wf_run_put_off(run, wf_engine_now_ms(run->engine) + BUSY_MS,
                           !run->attempt.left);
        else
            wf_run_transient(run, 0, "database: %s", message);
        return;
    }
    tell_unneeded(run);
    if (run->db.refused != NULL)
        run->db.refused(run);
    else
        wf_db_refused(run);
}

static void submit(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;
    struct wf_batch *batch = run->db.batch;

    BW_ASSERT(batch != NULL);
    run->db.batch = NULL;
    run->db.trips++;
    wf_count(&run->engine->counters.db_trips);
    wf_under_way_lock(run);
    wf_under_way_begun(run, WF_CALL_DB,
                       effects->batch_submit(effects->arg, batch,
                                             run->engine->settings.db_timeout_ms, db_done,
                                             run));
}

/* A table, column, function or right is not there. */
static bool is_missing(const struct wf_run *run)
{
    static const char *const states[] = { "42P01", "42703", "42883", "42501", "3F000" };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(wf_db_sqlstate(run), states[i]) == 0)
            return true;
    }
    return false;
}

/* For the operator, once a statement and minute: the node fails, or the job waits. */
static void tell_unneeded(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;
    enum wf_sql refused = engine->effects->batch_refused(run->db.batch);
    char *key;

    if (!is_missing(run) || refused == WF_SQL_COUNT)
        return;
    wf_count(&engine->counters.statements_refused);
    key = wf_printf("refused %s", wf_store_statement(refused)->name);
    if (wf_memory_set_new(engine->local, key, "", TELL_MS))
        bw_log(wf_job_log(run), BW_LOG_ERROR,
               "the database refuses a statement that some workflows need",
               bw_text("sqlstate", wf_db_sqlstate(run)),
               bw_text("reason", engine->effects->batch_message(run->db.batch)));
    free(key);
}

void wf_db_refused(struct wf_run *run)
{
    const char *message = wf_db_message(run);

    BW_ASSERT(run->node == NULL || run->resume != NULL);
    if (run->node != NULL) {
        run->resume(run, wf_node_fail(run, "database: %s", message));
    } else if (is_missing(run)) { /* what this kind of job needs, and others do not */
        wf_run_put_off(run, wf_engine_now_ms(run->engine) + MISSING_MS,
                       !run->attempt.left);
    } else {
        bw_log(wf_job_log(run), BW_LOG_ERROR, "the database refused a statement",
               bw_text("sqlstate", wf_db_sqlstate(run)), bw_text("reason", message));
        wf_run_answer(run, false);
    }
}

bool wf_db_is_vital(const struct wf_run *run)
{
    enum wf_sql refused = run->engine->effects->batch_refused(run->db.batch);

    return refused == WF_SQL_COUNT || wf_store_need(refused) == WF_NEED_ALL;
}

size_t wf_db_rows(const struct wf_run *run, size_t index)
{
    BW_ASSERT(run->db.batch != NULL);
    return run->engine->effects->batch_rows(run->db.batch, index);
}

const char *wf_db_value(const struct wf_run *run, size_t index, size_t row, size_t column)
{
    if (row >= wf_db_rows(run, index))
        return NULL;
    return run->engine->effects->batch_value(run->db.batch, index, row, column);
}

bool wf_db_true(const struct wf_run *run, size_t index, size_t row, size_t column)
{
    const char *value = wf_db_value(run, index, row, column);

    return value != NULL && value[0] == 't';
}

int64_t wf_db_number(const struct wf_run *run, size_t index, size_t row, size_t column)
{
    const char *value = wf_db_value(run, index, row, column);

    return value != NULL ? strtoll(value, NULL, 10) : 0;
}

const char *wf_db_sqlstate(const struct wf_run *run)
{
    return run->engine->effects->batch_sqlstate(run->db.batch);
}

const char *wf_db_message(const struct wf_run *run)
{
    return run->engine->effects->batch_message(run->db.batch);
}

const char *wf_db_bigint(const char *text)
{
    const char *digits = text;
    size_t len;

    if (text == NULL)
        return NULL;
    if (*digits == '-')
        digits++;
    len = strspn(digits, "0123456789");
    /* 18 digits always fit; Telegram's ids have 52 bits */
    return len > 0 && len <= 18 && digits[len] == '\0' ? text : NULL;
}
