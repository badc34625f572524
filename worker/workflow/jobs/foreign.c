#include "workflow/jobs/foreign.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/queue.h>
#include <bulwark/thread.h>

#define FIRST_MS   1000
#define EVERY_MS   15000
#define TIMEOUT_MS 5000
#define FORGET     40 /* looks without any, until they are news again */

/* --- the list: a line a connection, "id=3 addr=… name=… cmd=…" */

/* The value of a field of the line, its length in `*len`; NULL: there is none. */
static const char *field(const char *line, size_t line_len, const char *name, size_t *len)
{
    size_t name_len = strlen(name);
    const char *end = line + line_len;

    while (line < end) {
        const char *stop = memchr(line, ' ', (size_t)(end - line));
        size_t word = (size_t)((stop != NULL ? stop : end) - line);

        if (word > name_len && strncmp(line, name, name_len) == 0 &&
            line[name_len] == '=') {
            *len = word - name_len - 1;
            return line + name_len + 1;
        }
        line += word + 1;
    }
    return NULL;
}

static bool is_worker(const char *line, size_t line_len, const char *name)
{
    static const char named[] = ":w:";
    size_t len, name_len = strlen(name);
    const char *value = field(line, line_len, "name", &len);

    if (value == NULL || len < name_len || strncmp(value, name, name_len) != 0 ||
        (len > name_len && (len - name_len < sizeof named - 1 ||
                            strncmp(value + name_len, named, sizeof named - 1) != 0)))
        return false;
    value = field(line, line_len, "cmd", &len);
    return value != NULL && len == strlen("bzpopmin") &&
           strncmp(value, "bzpopmin", len) == 0;
}

unsigned wf_foreign_count(const char *list, const char *name, char *address, size_t size)
{
    unsigned count = 0;

    if (address != NULL)
        *address = '\0';
    while (*list != '\0') {
        size_t len = strcspn(list, "\r\n"), address_len;

        if (is_worker(list, len, name)) {
            const char *from = field(list, len, "addr", &address_len);

            if (count++ == 0 && address != NULL && from != NULL)
                (void)snprintf(address, size, "%.*s", (int)address_len, from); /* cut */
        }
        list += len;
        list += strspn(list, "\r\n");
    }
    return count;
}

/* --- looking */

struct wf_foreign {
    struct bw_worker *worker;
    struct bw_redis *redis;
    char *name;
    struct bw_log log;
    struct bw_task task;
    atomic_uint seen;
    unsigned quiet; /* looks without any; one thread at a time */

    struct bw_mutex mutex; /* guards what follows */
    struct bw_cond idle;
    bool busy; /* the task is posted, or an answer is awaited */
    bool stopping;
};

/* Posted under the lock, so that stop() finds it to hurry it. */
static void rest(struct wf_foreign *foreign)
{
    bw_mutex_lock(&foreign->mutex);
    foreign->busy = !foreign->stopping;
    if (foreign->busy)
        bw_worker_post_after(foreign->worker, &foreign->task, EVERY_MS);
    else
        bw_cond_broadcast(&foreign->idle); /* it may be freed from here on */
    bw_mutex_unlock(&foreign->mutex);
}

/* Once, until they have been away for a good while. */
static void note(struct wf_foreign *foreign, unsigned count, const char *address)
{
    atomic_store(&foreign->seen, count);
    if (count == 0) {
        foreign->quiet += foreign->quiet < FORGET ? 1 : 0;
        return;
    }
    if (foreign->quiet == FORGET)
        bw_log(&foreign->log, BW_LOG_WARNING,
               "workers of another kind take jobs from this queue; they run workflows as "
               "they see fit",
               bw_num("workers", count), bw_text("address", address));
    foreign->quiet = 0;
}

static void listed(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct wf_foreign *foreign = arg;
    char address[128];

    if (err == NULL) /* without the right to look there is nothing to say */
        note(foreign,
             wf_foreign_count(bw_reply_text(reply, &(size_t){ 0 }), foreign->name,
                              address, sizeof address),
             address);
    rest(foreign);
}

static bool is_stopping(struct wf_foreign *foreign)
{
    bool stopping;

    bw_mutex_lock(&foreign->mutex);
    stopping = foreign->stopping;
    bw_mutex_unlock(&foreign->mutex);
    return stopping;
}

static void look(struct bw_task *task)
{
    struct wf_foreign *foreign =
        (struct wf_foreign *)(void *)((char *)task - offsetof(struct wf_foreign, task));
    static const struct bw_redis_arg words[] = { { "CLIENT", 6 }, { "LIST", 4 } };

    if (is_stopping(foreign) ||
        bw_redis_command(foreign->redis, words, 2, TIMEOUT_MS, listed, foreign) != BW_OK)
        rest(foreign); /* not connected: next time */
}

/* --- life */

struct wf_foreign *wf_foreign_create(const struct wf_foreign_options *options)
{
    struct wf_foreign *foreign = calloc(1, sizeof *foreign);

    if (foreign == NULL)
        return NULL;
    foreign->name = bw_queue_client_name(options->prefix, options->queue);
    if (foreign->name == NULL) {
        free(foreign);
        return NULL;
    }
    foreign->worker = options->worker;
    foreign->redis = options->redis;
    bw_log_child(&foreign->log, options->log, "part", "foreign");
    foreign->task.run = look;
    foreign->quiet = FORGET;
    bw_mutex_init(&foreign->mutex);
    bw_cond_init(&foreign->idle);
    return foreign;
}

void wf_foreign_start(struct wf_foreign *foreign)
{
    bw_mutex_lock(&foreign->mutex);
    foreign->busy = true;
    bw_mutex_unlock(&foreign->mutex);
    bw_worker_post_after(foreign->worker, &foreign->task, FIRST_MS);
}

bool wf_foreign_stop(struct wf_foreign *foreign, struct bw_mono deadline)
{
    bool busy;

    bw_mutex_lock(&foreign->mutex);
    foreign->stopping = true;
    bw_mutex_unlock(&foreign->mutex);
    bw_worker_hurry(foreign->worker, &foreign->task);
    bw_mutex_lock(&foreign->mutex);
    while (foreign->busy)
        if (!bw_cond_wait_until(&foreign->idle, &foreign->mutex, deadline))
            break;
    busy = foreign->busy;
    bw_mutex_unlock(&foreign->mutex);
    return !busy;
}

void wf_foreign_destroy(struct wf_foreign **foreignp)
{
    struct wf_foreign *foreign = *foreignp;

    if (foreign == NULL)
        return;
    *foreignp = NULL;
    bw_cond_fini(&foreign->idle);
    bw_mutex_fini(&foreign->mutex);
    free(foreign->name);
    free(foreign);
}

unsigned wf_foreign_seen(const struct wf_foreign *foreign)
{
    return atomic_load(&foreign->seen);
}
