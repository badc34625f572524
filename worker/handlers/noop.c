#include "handlers/noop.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/thread.h>

#include "base/schema.h"

#define NOOP_DELAY_MAX_MS INT64_C(86400000)

static const struct wk_field fields[] = {
    { .key = "noop.delayMs",
      .kind = WK_INT,
      .max = NOOP_DELAY_MAX_MS,
      .unit = "ms",
      .help = "time until a job is completed" },
};
static const struct wk_schema noop_schema = { fields, 1 };

static const char noop_answer[] = "{\"ok\":true}";

struct noop {
    struct bw_worker *worker;
    int64_t delay_ms;
    struct bw_mutex mtx;
    struct bw_cond idle;
    size_t waiting; /* under mtx: jobs whose delay runs */
};

struct noop_wait { /* a job whose delay runs */
    struct bw_task task;
    struct noop *noop;
    struct bw_job *job;
};

/* The delay of a handler object; -1: the object is not as it should be. */
static int64_t noop_delay(const json_t *settings, struct bw_error *err)
{
    const json_t *object;
    const json_t *delay;
    const char *key;
    json_t *value;

    if (settings == NULL)
        return 0;
    object = json_object_get(settings, "noop");
    if (!json_is_object(object)) {
        (void)bw_error_set(err, BW_EINVAL, ".noop: must be an object");
        return -1;
    }
    json_object_foreach((json_t *)object, key, value)
    {
        if (strcmp(key, "delayMs") != 0) {
            (void)bw_error_set(err, BW_EINVAL,
                               ".noop.%.64s: unknown key, did you mean \"delayMs\"?",
                               key);
            return -1;
        }
    }
    delay = json_object_get(object, "delayMs");
    if (delay == NULL)
        return 0;
    if (!json_is_integer(delay) || json_integer_value(delay) < 0 ||
        json_integer_value(delay) > NOOP_DELAY_MAX_MS) {
        (void)bw_error_set(err, BW_EINVAL,
                           ".noop.delayMs: must be a whole number from 0 to %lld",
                           (long long)NOOP_DELAY_MAX_MS);
        return -1;
    }
    return json_integer_value(delay);
}

static int noop_check(const json_t *settings, struct bw_error *err)
{
    return noop_delay(settings, err) < 0 ? BW_EINVAL : BW_OK;
}

static int noop_create(const struct wk_handler_env *env, const json_t *settings,
                       void **instance, struct bw_error *err)
{
    int64_t delay_ms = noop_delay(settings, err);
    struct noop *noop;

    if (delay_ms < 0)
        return BW_EINVAL;
    noop = calloc(1, sizeof *noop);
    if (noop == NULL)
        return bw_error_set(err, BW_ENOMEM, "noop: out of memory");
    noop->worker = env->worker;
    noop->delay_ms = delay_ms;
    bw_mutex_init(&noop->mtx);
    bw_cond_init(&noop->idle);
    *instance = noop;
    return BW_OK;
}

static void noop_answer_late(struct bw_task *task)
{
    struct noop_wait *wait = (struct noop_wait *)task; /* its first member */
    struct noop *noop = wait->noop;

    bw_job_complete(wait->job, noop_answer, sizeof noop_answer - 1);
    free(wait);
    bw_mutex_lock(&noop->mtx);
    if (--noop->waiting == 0)
        bw_cond_broadcast(&noop->idle);
    bw_mutex_unlock(&noop->mtx);
}

/* On the reactor: neither branch blocks. */
static void noop_process(struct bw_job *job, void *arg)
{
    static const struct bw_job_failure no_memory = { .message = "noop: out of memory" };
    struct noop *noop = arg;
    struct noop_wait *wait;

    if (noop->delay_ms == 0) {
        bw_job_complete(job, noop_answer, sizeof noop_answer - 1);
        return;
    }
    wait = calloc(1, sizeof *wait);
    if (wait == NULL) {
        bw_job_fail(job, &no_memory);
        return;
    }
    wait->task.run = noop_answer_late;
    wait->noop = noop;
    wait->job = job;
    bw_mutex_lock(&noop->mtx);
    noop->waiting++;
    bw_mutex_unlock(&noop->mtx);
    bw_worker_post_after(noop->worker, &wait->task, noop->delay_ms);
}

static bool noop_stop(void *instance, int64_t timeout_ms)
{
    struct noop *noop = instance;
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    bool idle;

    bw_mutex_lock(&noop->mtx);
    while (noop->waiting > 0 && bw_cond_wait_until(&noop->idle, &noop->mtx, deadline))
        ;
    idle = noop->waiting == 0;
    bw_mutex_unlock(&noop->mtx);
    return idle;
}

static void noop_destroy(void *instance)
{
    struct noop *noop = instance;

    bw_cond_fini(&noop->idle);
    bw_mutex_fini(&noop->mtx);
    free(noop);
}

const struct wk_handler_type noop_handler_type = {
    .name = "noop",
    .settings = &noop_schema,
    .check = noop_check,
    .create = noop_create,
    .handler = { .process = noop_process, .inline_ = true },
    .stop = noop_stop,
    .destroy = noop_destroy,
};
