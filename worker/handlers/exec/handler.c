#include "handlers/exec/handler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "handlers/exec/pool.h"

/* ---- settings */

static int exec_check(const json_t *settings, struct bw_error *err)
{
    struct ex_settings read;
    int rc = ex_settings_read(&read, settings, err);

    if (rc == BW_OK)
        ex_settings_fini(&read);
    return rc;
}

static bool in_path(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];

    while (path != NULL) {
        size_t len = strcspn(path, ":");

        if (snprintf(file, sizeof file, "%.*s/%s", (int)len, path, name) <
                (int)sizeof file &&
            access(file, X_OK) == 0)
            return true;
        path = path[len] == ':' ? path + len + 1 : NULL;
    }
    return false;
}

static int exec_probe(const json_t *settings, struct bw_error *err)
{
    const char *name =
        json_string_value(json_array_get(json_object_get(settings, "exec"), 0));

    if (name != NULL &&
        (strchr(name, '/') != NULL ? access(name, X_OK) == 0 : in_path(name)))
        return BW_OK;
    return bw_error_set(err, BW_EINVAL, "exec: \"%.200s\" is not a program that can run",
                        name != NULL ? name : "");
}

/* ---- jobs; on the reactor */

static void deliver_job(struct ex_letter *letter, void *owner)
{
    struct ex_pool *pool = owner;
    struct ex_entry *entry = (struct ex_entry *)letter; /* its first member */

    BW_ASSERT(entry->job != NULL && entry->jobs == NULL);
    if (ex_pool_takes_jobs(pool))
        ex_list_add(&pool->pending, entry);
    else /* fetched before it was told to stop */
        ex_entry_hand_back(entry, true);
}

static void exec_process(struct bw_job *job, void *arg)
{
    static const struct bw_job_failure no_memory = { .message = "exec: out of memory" };
    struct ex_pool *pool = arg;
    struct ex_entry *entry;

    if (!ex_pool_takes_jobs(pool)) { /* now: others of its fetch keep their order */
        bw_job_hand_back(job, true);
        return;
    }
    entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        bw_job_fail(job, &no_memory);
        return;
    }
    entry->letter.deliver = deliver_job;
    entry->job = job;
    bw_job_start_later(job); /* send_job() */
    ex_inbox_post(&pool->common.inbox, &entry->letter);
}

struct cancel_letter {
    struct ex_letter letter;
    const struct bw_job *job; /* an address to compare with: it may have ended */
    const char *reason;
    bool lost;
};

static struct ex_entry *find_job(const struct ex_list *list, const struct bw_job *job)
{
    struct ex_entry *entry = list->first;

    while (entry != NULL && entry->job != job)
        entry = entry->next;
    return entry;
}

static bool cancel_pending(struct ex_pool *pool, const struct bw_job *job)
{
    struct ex_entry *entry = find_job(&pool->pending, job);

    if (entry == NULL)
        return false;
    ex_list_remove(&pool->pending, entry);
    ex_entry_fail(entry, "job cancelled");
    ex_entry_end(entry);
    return true;
}

/* The job at this address is the one that was meant: the letter of a later one at the
 * same address comes after this. */
static void deliver_cancel(struct ex_letter *letter, void *owner)
{
    struct ex_pool *pool = owner;
    struct cancel_letter *cancel = (struct cancel_letter *)letter; /* its first member */

    if (cancel_pending(pool, cancel->job)) {
        free(cancel);
        return;
    }
    for (size_t i = 0; i < pool->count; i++) {
        struct ex_program *program = &pool->programs[i];
        struct ex_entry *entry = find_job(&program->jobs.running, cancel->job);

        if (entry == NULL || (program->state != EX_READY))
            continue;
        ex_program_cancel(program, entry, cancel->reason,
                          !cancel->lost && !pool->common.draining);
    }
    free(cancel);
}

static void exec_cancel(struct bw_job *job, void *arg)
{
    struct cancel_letter *cancel = calloc(1, sizeof *cancel);
    struct ex_pool *pool = arg;

    if (cancel == NULL) {
        bw_log(bw_job_log(job), BW_LOG_WARNING, "a cancellation was not told");
        return;
    }
    cancel->letter.deliver = deliver_cancel;
    cancel->job = job;
    cancel->lost = !bw_job_lock_held(job);
    cancel->reason = cancel->lost ? "the job's lock is lost" : "cancelled";
    ex_inbox_post(&pool->common.inbox, &cancel->letter);
}

/* ---- events; on the reactor */

struct event_letter {
    struct ex_letter letter;
    struct ex_note *note;
};

static void deliver_event(struct ex_letter *letter, void *owner)
{
    struct ex_pool *pool = owner;
    struct event_letter *told = (struct event_letter *)letter; /* its first member */

    BW_ASSERT(told->note != NULL);
    ex_pool_tell(pool, told->note);
    free(told);
}

static void post_event(struct ex_pool *pool, const struct ex_event *event,
                       enum ex_note_state state)
{
    struct event_letter *told = calloc(1, sizeof *told);

    if (told != NULL)
        told->note = ex_note_new(event);
    if (told == NULL || told->note == NULL) {
        bw_log(&pool->common.log, BW_LOG_WARNING, "an event was not told: out of memory",
               bw_text("event", event->event));
        free(told);
        return;
    }
    told->letter.deliver = deliver_event;
    told->note->state = state;
    ex_inbox_post(&pool->common.inbox, &told->letter);
}

static void exec_event(const struct bw_event *event, void *arg)
{
    static const struct {
        const char *name;
        enum ex_note_state state;
    } rows[] = { [BW_EVENT_STALLED] = { "stalled", EX_NOTE_PLAIN },
                 [BW_EVENT_DRAINED] = { "drained", EX_NOTE_PLAIN },
                 [BW_EVENT_ERROR] = { "error", EX_NOTE_PLAIN },
                 [BW_EVENT_PAUSED] = { "paused", EX_NOTE_PAUSED },
                 [BW_EVENT_RESUMED] = { "resumed", EX_NOTE_RESUMED },
                 [BW_EVENT_COMPLETED] = { "completed", EX_NOTE_PLAIN },
                 [BW_EVENT_FAILED] = { "failed", EX_NOTE_PLAIN },
                 [BW_EVENT_LOCK_LOST] = { "lockRenewalFailed", EX_NOTE_PLAIN } };
    struct ex_pool *pool = arg;
    struct ex_event told = {
        .event = rows[event->kind].name,
        .id = { event->id, event->id_len },
        .error = { event->error, event->error_len },
        .result = { event->result, event->result_len },
        .attempts_made =
            event->kind == BW_EVENT_FAILED ? (int64_t)event->attempts_made : -1,
    };

    if (event->kind == BW_EVENT_LAST) {
        ex_pool_last(pool);
        return;
    }
    if (!pool->common.settings.events)
        return;
    post_event(pool, &told, rows[event->kind].state);
    if (event->kind == BW_EVENT_FAILED && !event->is_final) {
        told.event = "retrying";
        post_event(pool, &told, EX_NOTE_PLAIN);
    }
}

/* ---- life */

static int exec_create(const struct wk_handler_env *env, const json_t *settings,
                       void **instance, struct bw_error *err)
{
    struct ex_pool *pool;
    int rc = ex_pool_create(&pool, env, settings, err);

    if (rc == BW_OK)
        *instance = pool;
    return rc;
}

/* A program that ends before any was ready would do so again and again. */
static enum wk_prospect exec_prospect(void *instance)
{
    struct ex_pool *pool = instance;

    if (atomic_load(&pool->ready) > 0)
        return WK_PROSPECT_READY;
    return atomic_load(&pool->common.restarts) > 0 ? WK_PROSPECT_HOPELESS
                                                   : WK_PROSPECT_OPEN;
}

static void exec_start(void *instance)
{
    ex_pool_begin(instance);
}

static void exec_drain(void *instance, int64_t timeout_ms)
{
    ex_pool_drain(instance, timeout_ms);
}

static bool exec_stop(void *instance, int64_t timeout_ms)
{
    return ex_pool_stop(instance, timeout_ms);
}

static void exec_destroy(void *instance)
{
    ex_pool_destroy(instance);
}

static void exec_stats(void *instance, struct wk_metrics *metrics)
{
    struct ex_pool *pool = instance;

    wk_metrics_gauge(metrics, "exec_processes", "Processors that are wanted.", NULL, NULL,
                     (double)pool->count);
    wk_metrics_gauge(metrics, "exec_ready", "Processors that are ready.", NULL, NULL,
                     (double)atomic_load(&pool->ready));
    wk_metrics_counter(metrics, "exec_ends", "Processors that have ended.", NULL, NULL,
                       atomic_load(&pool->common.restarts));
    wk_metrics_counter(metrics, "exec_events_dropped",
                       "Events that a processor did not read in time.", NULL, NULL,
                       atomic_load(&pool->common.events_dropped));
    wk_metrics_counter(metrics, "exec_protocol_errors",
                       "Processors that broke the protocol.", NULL, NULL,
                       atomic_load(&pool->common.protocol_errors));
}

static bool exec_why_held(void *instance, char *text, size_t size)
{
    struct ex_pool *pool = instance;
    bool held = atomic_load(&pool->ready) == 0;

    if (!held)
        return false;
    ex_vain_why(&pool->vain, text, size);
    return true;
}

static bool exec_is_hopeless(void *instance)
{
    struct ex_pool *pool = instance;

    return ex_vain_is_hopeless(&pool->vain);
}

const struct wk_handler_type exec_handler_type = {
    .name = "exec",
    .settings = &ex_settings_schema,
    .check = exec_check,
    .probe = exec_probe,
    .create = exec_create,
    .start = exec_start,
    .prospect = exec_prospect,
    .handler = { .process = exec_process,
                 .cancel = exec_cancel,
                 .event = exec_event,
                 .inline_ = true,
                 .held = true },
    .drain = exec_drain,
    .stop = exec_stop,
    .destroy = exec_destroy,
    .stats = exec_stats,
    .why_held = exec_why_held,
    .is_hopeless = exec_is_hopeless,
};
