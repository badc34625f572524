#include "daemon/cancel_request.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/buf.h>
#include <bulwark/thread.h>
#include <bulwark/time.h>

#define PATIENCE_MS 1000

/* At once, so that no request stays for ever because the connection broke in between. */
#define WRITE_REQUEST                                                                    \
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) "                                     \
    "return redis.call('PEXPIRE', KEYS[1], 3000)"

struct request { /* shared by the asking thread and the answer: the last one frees */
    struct bw_mutex mutex; /* guards the rest */
    struct bw_cond answered;
    bool done;
    unsigned users;
    int result;
};

static struct request *request_create(void)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    bw_mutex_init(&request->mutex);
    bw_cond_init(&request->answered);
    request->users = 1;
    return request;
}

static void request_unref(struct request *request)
{
    bool last;

    bw_mutex_lock(&request->mutex);
    last = --request->users == 0;
    bw_mutex_unlock(&request->mutex);
    if (!last)
        return;
    bw_cond_fini(&request->answered);
    bw_mutex_fini(&request->mutex);
    free(request);
}

static void on_answer(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct request *request = arg;

    (void)reply; /* there is one: that is all */
    bw_mutex_lock(&request->mutex);
    if (err != NULL)
        request->result = err->code;
    request->done = true;
    bw_cond_signal(&request->answered);
    bw_mutex_unlock(&request->mutex);
    request_unref(request);
}

static int send(struct request *request, struct bw_redis *redis, const char *key,
                const char *id, const char *reason)
{
    const char *words[] = { "EVAL", WRITE_REQUEST, "1", key, id, reason };
    struct bw_redis_arg args[sizeof words / sizeof words[0]];
    size_t count = sizeof words / sizeof words[0];
    int rc;

    for (size_t i = 0; i < count; i++)
        args[i] = (struct bw_redis_arg){ words[i], strlen(words[i]) };
    request->users = 2; /* the answer may be here before the call returns */
    rc = bw_redis_command(redis, args, count, PATIENCE_MS, on_answer, request);
    if (rc != BW_OK)
        request->users = 1; /* nobody else has it */
    return rc;
}

static int wait_for_answer(struct request *request)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);
    bool in_time = true;
    int rc;

    bw_mutex_lock(&request->mutex);
    while (!request->done && in_time)
        in_time = bw_cond_wait_until(&request->answered, &request->mutex, deadline);
    rc = request->done ? request->result : BW_ETIMEDOUT;
    bw_mutex_unlock(&request->mutex);
    return rc;
}

int wk_cancel_request(struct bw_redis *redis, const char *prefix, const char *queue,
                      const char *id, const char *reason)
{
    struct request *request = request_create();
    struct bw_buf key = BW_BUF_INIT;
    int rc = BW_ENOMEM;

    if (request != NULL)
        rc = bw_buf_addf(&key, "%s::bulwark:%s:cancel", prefix, queue);
    if (rc == BW_OK)
        rc = send(request, redis, bw_buf_text(&key), id, reason);
    if (rc == BW_OK)
        rc = wait_for_answer(request);
    bw_buf_fini(&key);
    if (request != NULL)
        request_unref(request);
    return rc;
}
