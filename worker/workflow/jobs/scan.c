#include "workflow/jobs/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/ids.h"
#include "workflow/base/mem.h"
#include "workflow/jobs/scan_due.h"
#include "workflow/jobs/scan_io.h"
#include "workflow/jobs/scan_queue.h"
#include "workflow/jobs/scan_run.h"
#include "workflow/base/map.h"

#define MINUTE_MS     60000
#define CATCH_UP      15 /* minutes made up for at most */
#define FUTURE        60 /* minutes: beyond that a clock was wrong */
#define STATE_TTL_MS  (24 * 60 * MINUTE_MS)
#define HELD_PAUSE_MS 1000
#define PAUSE_MS      1000
#define PAUSE_MAX_MS  30000

enum { LOCK, STATE };

static wf_scan_step locked, failed, leave, release_lock, minute_begin, next_versions,
    versions_there, next_due, next_customers, customers_there, skip_due, claimed,
    page_queued, minute_done, minute_over;
static void pause_for(struct wf_scan *scan, int64_t ms);
static int64_t this_minute(const struct wf_scan *scan);
static char *state_key(const struct wf_scan *scan);
static void end(struct wf_scan *scan, bool failed);
static bool is_stopped(struct wf_scan *scan);

/* --- whose turn it is */

bool wf_scan_is_wanted(const struct wf_engine *engine)
{
    /* the queue of delays may have an engine of its own; one of them is enough */
    return engine->settings.scan &&
           strcmp(engine->queue, engine->settings.queue_delays) != 0;
}

struct wf_scan *wf_scan_create(struct wf_engine *engine)
{
    struct wf_scan *scan = wf_alloc(sizeof(*scan));

    scan->engine = engine;
    scan->failed = failed;
    bw_mutex_init(&scan->mutex);
    return scan;
}

void wf_scan_destroy(struct wf_scan **scanp)
{
    struct wf_scan *scan = *scanp;

    if (scan == NULL)
        return;
    *scanp = NULL;
    wf_kv_clear(&scan->kv);
    wf_map_fini(&scan->warned, NULL);
    bw_mutex_fini(&scan->mutex);
    json_decref(scan->ids);
    json_decref(scan->lost);
    free(scan->after_version);
    free(scan->after);
    free(scan->error);
    free(scan);
}

void wf_scan_stop(struct wf_scan *scan)
{
    const struct wf_effects *effects = scan->engine->effects;

    bw_mutex_lock(&scan->mutex);
    scan->stopped = true;
    if (scan->call != 0)
        effects->cancel(effects->arg, WF_CALL_DB, scan->call);
    bw_mutex_unlock(&scan->mutex);
}

void wf_scan_tick(void *arg)
{
    struct wf_scan *scan = arg;
    struct wf_engine *engine = scan->engine;
    int64_t now;

    if (is_stopped(scan) || atomic_load_explicit(&scan->busy, memory_order_acquire) ||
        bw_mono_before(wf_engine_mono(engine), scan->not_before))
        return;
    now = this_minute(scan);
    if (scan->last > now + FUTURE) /* the clock was set back */
        scan->last = 0;
    if (scan->last >= now)
        return;
    atomic_store_explicit(&scan->busy, true, memory_order_relaxed);
    wf_busy_enter(&engine->busy);
    wf_lock_init(&scan->lock, wf_printf("lock:schedule:scan:%s", engine->queue));
    (void)wf_scan_keys(scan);
    (void)wf_kv_add(&scan->kv, WF_KV_SET_NEW, wf_strdup(scan->lock.key),
                    wf_strdup(scan->lock.token), engine->settings.lock_ttl_ms);
    (void)wf_kv_add(&scan->kv, WF_KV_GET, state_key(scan), NULL, 0);
    wf_scan_kv(scan, locked);
}

/* What the replica before left: the minute it was at, or 0; `*done`: all of it. */
static int64_t read_state(const struct wf_scan *scan, bool *done)
{
    const char *text = wf_kv_at(&scan->kv, STATE)->text;
    int64_t minute;

    *done = false;
    if (text == NULL)
        return 0;
    if (strncmp(text, "done ", 5) == 0)
        *done = true;
    else if (strncmp(text, "begun ", 6) != 0)
        return 0;
    minute = strtoll(strchr(text, ' '), NULL, 10);
    if (minute > this_minute(scan) + FUTURE) {
        *done = false;
        return 0;
    }
    return minute;
}

/* The first minute to scan; it may be one that is yet to come. */
static int64_t first_minute(const struct wf_scan *scan, int64_t state, bool done)
{
    int64_t now = this_minute(scan), first = now;

    if (state != 0 && !done)
        first = state;
    else if (state > scan->last)
        first = state + 1;
    else if (scan->last != 0)
        first = scan->last + 1;
    return first < now - CATCH_UP ? now - CATCH_UP : first;
}

static void locked(struct wf_scan *scan)
{
    bool done;
    int64_t state = read_state(scan, &done);

    if (done && state > scan->last)
        scan->last = state;
    if (!wf_kv_at(&scan->kv, LOCK)->yes) {
        pause_for(scan, HELD_PAUSE_MS);
        leave(scan);
        return;
    }
    wf_locks_add(&scan->engine->locks, &scan->lock, wf_engine_mono(scan->engine));
    scan->minute = first_minute(scan, state, done);
    if (scan->minute > this_minute(scan))
        end(scan, false);
    else if (done)
        minute_begin(scan);
    else /* somebody may have died between claiming and adding */
        wf_scan_recover(scan, minute_begin);
}

/* --- the keys */

static void pause_for(struct wf_scan *scan, int64_t ms)
{
    scan->not_before = bw_mono_add_ms(wf_engine_mono(scan->engine), ms);
}

static int64_t this_minute(const struct wf_scan *scan)
{
    return wf_engine_now_ms(scan->engine) / MINUTE_MS;
}

static char *state_key(const struct wf_scan *scan)
{
    return wf_printf("schedule:scan:%s", scan->engine->queue);
}

static void set_state(struct wf_scan *scan, const char *word)
{
    (void)wf_kv_add(&scan->kv, WF_KV_SET, state_key(scan),
                    wf_printf("%s %" PRId64, word, scan->minute), STATE_TTL_MS);
}

/* --- the end */

/* Lets the lock go. `failed`: not before a pause; what was begun is begun again then. */
static void end(struct wf_scan *scan, bool failed)
{
    scan->failures = failed ? scan->failures + 1 : 0;
    if (failed)
        pause_for(scan, scan->failures < PAUSE_MAX_MS / PAUSE_MS
                            ? (int64_t)scan->failures * PAUSE_MS
                            : PAUSE_MAX_MS);
    (void)wf_scan_keys(scan);
    release_lock(scan);
    wf_scan_kv(scan, leave);
}

static void failed(struct wf_scan *scan)
{
    end(scan, true);
}

static void leave(struct wf_scan *scan)
{
    struct wf_engine *engine = scan->engine;

    engine->effects->batch_destroy(&scan->batch);
    wf_scan_drop_versions(scan);
    wf_lock_fini(&scan->lock);
    atomic_store_explicit(&scan->busy, false, memory_order_release);
    wf_busy_leave(&engine->busy);
}

static void release_lock(struct wf_scan *scan)
{
    wf_locks_remove(&scan->engine->locks, &scan->lock);
    (void)wf_kv_add(&scan->kv, WF_KV_RELEASE, wf_strdup(scan->lock.key),
                    wf_strdup(scan->lock.token), 0);
}

static bool is_stopped(struct wf_scan *scan)
{
    bool stopped;

    bw_mutex_lock(&scan->mutex);
    stopped = scan->stopped;
    bw_mutex_unlock(&scan->mutex);
    return stopped;
}

/* --- a minute */

static void minute_begin(struct wf_scan *scan)
{
    scan->queued = 0;
    wf_set(&scan->after_version, "");
    (void)wf_scan_keys(scan);
    set_state(scan, "begun");
    wf_scan_kv(scan, next_versions);
}

static void next_versions(struct wf_scan *scan)
{
    if (is_stopped(scan))
        end(scan, false);
    else
        wf_scan_db(scan, versions_there, NULL, WF_SQL_scan_versions, scan->after_version);
}

static void versions_there(struct wf_scan *scan)
{
    wf_scan_take_versions(scan);
    next_due(scan);
}

static void next_due(struct wf_scan *scan)
{
    if (scan->due_at < scan->due_count) {
        wf_set(&scan->after, "");
        next_customers(scan);
    } else if (scan->more_versions) {
        next_versions(scan);
    } else {
        minute_done(scan);
    }
}

static void next_customers(struct wf_scan *scan)
{
    const struct wf_due *due = &scan->dues[scan->due_at];
    char month[16], day[16];

    if (is_stopped(scan)) {
        end(scan, false); /* another replica begins this minute again */
        return;
    }
    (void)snprintf(month, sizeof(month), "%u", due->birthday.month);
    (void)snprintf(day, sizeof(day), "%u", due->birthday.day);
    if (due->birthdays)
        wf_scan_db(scan, customers_there, skip_due, WF_SQL_scan_birthdays, due->project,
                   month, day, scan->after);
    else
        wf_scan_db(scan, customers_there, skip_due, WF_SQL_scan_customers, due->project,
                   scan->after);
}

/* [[id, user], …]: a row of the ledger for each customer of the page. */
static char *new_rows(const struct wf_scan *scan, size_t count)
{
    json_t *rows = wf_must(json_array());
    char *text;

    for (size_t i = 0; i < count; i++) {
        json_t *row = wf_must(json_array());
        char id[WF_ID_SIZE];

        wf_id_random(id);
        wf_check(json_array_append_new(row, wf_text(id)) == 0 ? BW_OK : BW_ENOMEM);
        wf_check(json_array_append_new(
                     row, wf_text(wf_scan_value(scan, i, WF_COL_scan_customers_id))) == 0
                     ? BW_OK
                     : BW_ENOMEM);
        wf_check(json_array_append_new(rows, row) == 0 ? BW_OK : BW_ENOMEM);
    }
    text = wf_dumps(rows);
    json_decref(rows);
    return text;
}

static void customers_there(struct wf_scan *scan)
{
    const struct wf_due *due = &scan->dues[scan->due_at];
    size_t count = wf_scan_rows(scan);
    char *rows;

    if (count == 0) {
        skip_due(scan);
        return;
    }
    scan->more = count == WF_NUM_scan_customers;
    wf_set(&scan->after, wf_scan_value(scan, count - 1, WF_COL_scan_customers_id));
    rows = new_rows(scan, count);
    wf_scan_db(scan, claimed, skip_due, WF_SQL_scan_claim, due->project, due->workflow,
               due->version, due->bucket, rows);
    free(rows);
}

/* What the database will not do for one trigger is no reason to keep the others waiting.
 */
static void skip_due(struct wf_scan *scan)
{
    scan->due_at++;
    next_due(scan);
}

static void claimed(struct wf_scan *scan)
{
    wf_scan_enqueue(scan, page_queued);
}

static void page_queued(struct wf_scan *scan)
{
    if (scan->more) {
        next_customers(scan);
    } else {
        scan->due_at++;
        next_due(scan);
    }
}

static void minute_done(struct wf_scan *scan)
{
    scan->last = scan->minute;
    scan->failures = 0;
    wf_count(&scan->engine->counters.scans);
    if (scan->queued > 0)
        bw_log(scan->engine->log, BW_LOG_INFO, "schedule: runs were queued",
               bw_num("count", (int64_t)scan->queued));
    (void)wf_scan_keys(scan);
    set_state(scan, "done");
    wf_scan_kv(scan, minute_over);
}

static void minute_over(struct wf_scan *scan)
{
    if (this_minute(scan) > scan->minute) {
        scan->minute++;
        minute_begin(scan);
    } else {
        end(scan, false);
    }
}
