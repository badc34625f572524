/* Operations of a run: keys in Redis, statements in the database. */
#ifndef WORKFLOW_IO_H
#define WORKFLOW_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "workflow/engine/effects.h"
#include "workflow/store/store.h"
#include "workflow/run/step.h"

struct wf_db {
    struct wf_batch *batch;
    wf_step *then, *refused;
    unsigned tries;
    /* batches sent for the job */
    unsigned trips;
    /* the batch that is begun does */
    bool writes;
};

/* Sends run->kv; the results stay there until the next group is begun. */
void wf_run_kv(struct wf_run *run, wf_step *step);
struct wf_kv *wf_run_keys(struct wf_run *run); /* begins a group */

/* Begins a batch; adds statements; sends it. A transient failure ends the run by itself,
 * after three tries where that is safe. `refused`: what to do when a statement is
 * refused; NULL: a node error inside of the loop, else the run ends with `false`. */
void wf_db_begin(struct wf_run *run);
/* The batch that is begun is not tried again: what it fails for may be the database. */
void wf_db_once(struct wf_run *run);
size_t wf_db_add_list(struct wf_run *run, enum wf_sql sql, const char *const *params,
                      size_t count);
#define wf_db_add(run, sql, ...)                                                         \
    wf_db_add_list((run), (sql), (const char *const[]){ __VA_ARGS__ },                   \
                   sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
void wf_db_run(struct wf_run *run, wf_step *step, wf_step *refused);
/* What happens without a `refused` of one's own. */
void wf_db_refused(struct wf_run *run);
/* What was refused is a statement that every message needs. */
bool wf_db_is_vital(const struct wf_run *run);
size_t wf_db_rows(const struct wf_run *run, size_t index);
/* Borrowed until the next batch; NULL for SQL NULL and for rows that are not there. */
const char *wf_db_value(const struct wf_run *run, size_t index, size_t row,
                        size_t column);
bool wf_db_true(const struct wf_run *run, size_t index, size_t row, size_t column);
int64_t wf_db_number(const struct wf_run *run, size_t index, size_t row, size_t column);
const char *wf_db_sqlstate(const struct wf_run *run);
/* Why it failed; "" after one that went well. Borrowed until the next batch. */
const char *wf_db_message(const struct wf_run *run);
/* The id as PostgreSQL's bigint takes it, or NULL. */
const char *wf_db_bigint(const char *text);

#endif
