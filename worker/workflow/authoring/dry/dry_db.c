/* Batches for PostgreSQL in a dry run. */
#include "workflow/authoring/dry/dry_db.h"

#include <stdlib.h>

#include "workflow/authoring/dry/dry_answer.h"
#include "workflow/authoring/dry/dry_later.h"
#include "workflow/authoring/dry/dry_record.h"
#include "workflow/base/mem.h"

struct wf_batch {
    struct wf_dry *dry;
    json_t *statements;             /* [{"sql": number, "params": []}] */
    json_t *results;                /* rows of each */
    const char *sqlstate, *refusal; /* NULL: all went well */
    wf_db_done *done;
    void *arg;
};

static void append(json_t *array, json_t *value)
{
    wf_check(json_array_append_new(array, value) == 0 ? BW_OK : BW_ENOMEM);
}

static struct wf_batch *batch_create(void *arg)
{
    struct wf_batch *batch = wf_alloc(sizeof(*batch));

    batch->dry = arg;
    batch->statements = wf_must(json_array());
    batch->results = wf_must(json_array());
    return batch;
}

static size_t batch_add(struct wf_batch *batch, enum wf_sql sql,
                        const char *const *params, size_t count)
{
    json_t *statement = wf_must(json_object()), *list = wf_must(json_array());

    for (size_t i = 0; i < count; i++)
        append(list, params[i] != NULL ? wf_text(params[i]) : json_null());
    wf_json_set(statement, "sql", json_integer(sql));
    wf_json_set(statement, "params", list);
    append(batch->statements, statement);
    return json_array_size(batch->statements) - 1;
}

/* What the engine writes at the end is shown as steps and variables, not again here. */
static json_t *shown_params(enum wf_sql sql, json_t *params)
{
    json_t *shown;

    if (sql != WF_SQL_flush)
        return json_incref(params);
    shown = wf_must(json_copy(params));
    wf_check(json_array_set_new(shown, 5, wf_text("…")) == 0 ? BW_OK : BW_ENOMEM);
    wf_check(json_array_set_new(shown, 6, wf_text("…")) == 0 ? BW_OK : BW_ENOMEM);
    return shown;
}

static void run_statement(struct wf_batch *batch, const json_t *statement)
{
    enum wf_sql sql = (enum wf_sql)json_integer_value(json_object_get(statement, "sql"));
    json_t *params = json_object_get(statement, "params");
    json_t *call = wf_must(json_object());
    json_t *rows;

    wf_json_set_text(call, "statement", wf_store_statement(sql)->name);
    wf_json_set(call, "params", shown_params(sql, params));
    rows = dry_answer(batch->dry, sql, params);
    wf_json_set(call, "rows", json_integer((json_int_t)json_array_size(rows)));
    dry_record(batch->dry, "sql", call);
    append(batch->results, rows);
}

static void settled(void *arg)
{
    struct wf_batch *batch = arg;

    batch->done(batch, batch->arg);
}

static wf_call batch_submit(void *arg, struct wf_batch *batch, int64_t timeout_ms,
                            wf_db_done *done, void *done_arg)
{
    struct wf_dry *dry = batch->dry;
    json_t *statement, *before;
    size_t i;

    (void)timeout_ms;
    batch->done = done;
    batch->arg = done_arg;
    wf_set(&dry->found, NULL);
    dry->sqlstate = dry->refusal = NULL;
    before = wf_must(json_deep_copy(dry->store));
    json_array_foreach(batch->statements, i, statement)
    {
        if (dry->sqlstate == NULL)
            run_statement(batch, statement);
    }
    if (dry->sqlstate != NULL) { /* one transaction: nothing was done */
        json_decref(dry->store);
        dry->store = json_incref(before);
    }
    json_decref(before);
    batch->sqlstate = dry->sqlstate;
    batch->refusal = dry->refusal;
    dry_later(arg, settled, batch, 0);
    return 0;
}

static enum wf_db_outcome batch_outcome(const struct wf_batch *batch)
{
    return batch->sqlstate == NULL ? WF_DB_OK : WF_DB_REFUSED;
}

static enum wf_sql batch_refused(const struct wf_batch *batch)
{
    (void)batch;
    return WF_SQL_COUNT;
}

static bool db_reachable(void *arg)
{
    (void)arg;
    return true;
}

static const char *batch_sqlstate(const struct wf_batch *batch)
{
    return batch->sqlstate != NULL ? batch->sqlstate : "";
}

static const char *batch_message(const struct wf_batch *batch)
{
    return batch->refusal != NULL ? batch->refusal : "";
}

static size_t batch_rows(const struct wf_batch *batch, size_t index)
{
    return json_array_size(json_array_get(batch->results, index));
}

static const char *batch_value(const struct wf_batch *batch, size_t index, size_t row,
                               size_t column)
{
    const json_t *rows = json_array_get(batch->results, index);

    return json_string_value(json_array_get(json_array_get(rows, row), column));
}

static void batch_destroy(struct wf_batch **batchp)
{
    struct wf_batch *batch = *batchp;

    if (batch == NULL)
        return;
    *batchp = NULL;
    json_decref(batch->statements);
    json_decref(batch->results);
    free(batch);
}

void dry_db_effects(struct wf_effects *effects)
{
    effects->batch_create = batch_create;
    effects->batch_add = batch_add;
    effects->batch_submit = batch_submit;
    effects->batch_outcome = batch_outcome;
    effects->batch_sqlstate = batch_sqlstate;
    effects->batch_refused = batch_refused;
    effects->db_reachable = db_reachable;
    effects->batch_message = batch_message;
    effects->batch_rows = batch_rows;
    effects->batch_value = batch_value;
    effects->batch_destroy = batch_destroy;
}
