#include "daemon/deadline.h"

#include <stddef.h>
#include <unistd.h>

#include "base/exit_code.h"

static void *deadline_main(void *arg)
{
    struct wk_deadline *deadline = arg;

    bw_mutex_lock(&deadline->mtx);
    while (!deadline->ending) {
        if (!deadline->set) {
            bw_cond_wait(&deadline->changed, &deadline->mtx);
            continue;
        }
        if (bw_mono_before(bw_mono_now(NULL), deadline->at)) {
            (void)bw_cond_wait_until(&deadline->changed, &deadline->mtx, deadline->at);
            continue; /* it may have been changed, or the end was in time */
        }
        bw_log(deadline->log, BW_LOG_WARNING,
               "the end takes too long: ending without what is left");
        _exit(deadline->exit_code);
    }
    bw_mutex_unlock(&deadline->mtx);
    return NULL;
}

int wk_deadline_start(struct wk_deadline *deadline, const struct bw_log *log,
                      struct bw_error *err)
{
    int rc;

    *deadline = (struct wk_deadline){ .log = log, .exit_code = WK_EXIT_HANDED_BACK };
    bw_mutex_init(&deadline->mtx);
    bw_cond_init(&deadline->changed);
    rc = pthread_create(&deadline->thread, NULL, deadline_main, deadline);
    if (rc != 0)
        return bw_error_errno(err, rc, "deadline thread");
    deadline->running = true;
    return BW_OK;
}

void wk_deadline_set(struct wk_deadline *deadline, struct bw_mono at)
{
    bw_mutex_lock(&deadline->mtx);
    if (!deadline->set || bw_mono_before(at, deadline->at))
        deadline->at = at;
    deadline->set = true;
    bw_cond_broadcast(&deadline->changed);
    bw_mutex_unlock(&deadline->mtx);
}

void wk_deadline_exit_code(struct wk_deadline *deadline, int exit_code)
{
    bw_mutex_lock(&deadline->mtx);
    deadline->exit_code = exit_code;
    bw_mutex_unlock(&deadline->mtx);
}

void wk_deadline_stop(struct wk_deadline *deadline)
{
    if (!deadline->running)
        return;
    bw_mutex_lock(&deadline->mtx);
    deadline->ending = true;
    bw_cond_broadcast(&deadline->changed);
    bw_mutex_unlock(&deadline->mtx);
    bw_thread_check(pthread_join(deadline->thread, NULL), "pthread_join");
    bw_cond_fini(&deadline->changed);
    bw_mutex_fini(&deadline->mtx);
    deadline->running = false;
}
