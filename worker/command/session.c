#include "command/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bulwark/time.h>

#define WORDS_MAX  16
#define LOOK_EVERY 2000000 /* ns */

/* There is no call back for a connection that became ready, or failed: it is looked at
 * now and again. Whoever asks and ends wants to know the first failure at once. */
static int wait_ready(struct wk_session *session, struct bw_error *err)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), WK_SESSION_TIMEOUT_MS);
    struct timespec pause = { .tv_nsec = LOOK_EVERY };
    struct bw_redis_state state;

    for (;;) {
        bw_redis_state(session->redis, &state);
        if (state.ready)
            return BW_OK;
        if (state.trouble[0] != '\0')
            return bw_error_set(err, BW_EIO, "Redis: %s", state.trouble);
        if (!bw_mono_before(bw_mono_now(NULL), deadline))
            return bw_error_set(err, BW_ETIMEDOUT, "Redis: not reachable within %d ms",
                                WK_SESSION_TIMEOUT_MS);
        (void)nanosleep(&pause, NULL); /* woken early it only looks early */
    }
}

int wk_session_open(struct wk_session *session, const struct bw_redis_options *redis,
                    const struct bw_log_sink *log, struct bw_error *err)
{
    struct bw_worker_options options = { .redis = redis, .log = log, .processors = 1 };
    int rc;

    *session = (struct wk_session){ 0 };
    bw_mutex_init(&session->mtx);
    bw_cond_init(&session->answered);
    rc = bw_worker_create(&session->worker, &options, err);
    if (rc == BW_OK)
        rc = bw_worker_redis(session->worker, NULL, &session->redis, err);
    if (rc == BW_OK)
        rc = bw_worker_start(session->worker, err);
    if (rc != BW_OK) {
        bw_worker_destroy(&session->worker);
        return rc;
    }
    rc = wait_ready(session, err);
    if (rc != BW_OK)
        wk_session_close(session);
    return rc;
}

void wk_session_close(struct wk_session *session)
{
    if (session->worker == NULL)
        return;
    bw_worker_drain(session->worker, 0);
    (void)bw_worker_wait(session->worker, NULL); /* it had no jobs: any end will do */
    bw_worker_destroy(&session->worker);
    bw_cond_fini(&session->answered);
    bw_mutex_fini(&session->mtx);
}

static void settle(struct wk_session *session, int64_t number, const char *text,
                   const struct bw_error *err)
{
    bw_mutex_lock(&session->mtx);
    session->done = true;
    session->number = number;
    (void)snprintf(session->text, sizeof session->text, "%s", text);
    if (err != NULL)
        session->err = *err;
    bw_cond_signal(&session->answered);
    bw_mutex_unlock(&session->mtx);
}

void wk_session_answer(const struct bw_reply *reply, const struct bw_error *err,
                       void *arg)
{
    settle(arg, bw_reply_integer(reply), bw_reply_text(reply, NULL), err);
}

void wk_session_added(const char *id, const struct bw_error *err, void *arg)
{
    settle(arg, 0, id != NULL ? id : "", err);
}

int wk_session_wait(struct wk_session *session, int sent, struct bw_error *err)
{
    /* The call's own deadline comes first; this one is for a reactor that has died. */
    struct bw_mono deadline =
        bw_mono_add_ms(bw_mono_now(NULL), 2 * WK_SESSION_TIMEOUT_MS);
    bool done;
    int rc = BW_OK;

    if (sent != BW_OK)
        return bw_error_set(err, sent, "Redis: not connected");
    bw_mutex_lock(&session->mtx);
    while (!session->done &&
           bw_cond_wait_until(&session->answered, &session->mtx, deadline))
        ;
    done = session->done;
    session->done = false;
    if (done && session->err.code != BW_OK)
        rc = bw_error_set(err, session->err.code, "Redis: %s", session->err.text);
    bw_error_clear(&session->err);
    bw_mutex_unlock(&session->mtx);
    return done ? rc : bw_error_set(err, BW_ETIMEDOUT, "Redis: no answer");
}

int wk_session_command(struct wk_session *session, struct bw_error *err, const char *word,
                       ...)
{
    struct bw_redis_arg args[WORDS_MAX];
    size_t count = 0;
    va_list words;

    va_start(words, word);
    for (; word != NULL && count < WORDS_MAX; word = va_arg(words, const char *))
        args[count++] = (struct bw_redis_arg){ word, strlen(word) };
    va_end(words);
    return wk_session_wait(session,
                           bw_redis_command(session->redis, args, count,
                                            WK_SESSION_TIMEOUT_MS, wk_session_answer,
                                            session),
                           err);
}
