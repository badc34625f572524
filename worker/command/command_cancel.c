#include "command/command_cancel.h"

#include <time.h>

#include <bulwark/time.h>

/* Workers look each second. The request expires by itself in case we end before it is
 * withdrawn. */
#define PATIENCE_MS 3000
#define NAP_NS      50000000
#define EXPIRY_MS   "60000"

static int ask(struct wk_session *session, const char *key, const char *id,
               const char *reason, struct bw_error *err)
{
    int rc = wk_session_command(session, err, "HSET", key, id, reason, NULL);

    if (rc == BW_OK)
        rc = wk_session_command(session, err, "PEXPIRE", key, EXPIRY_MS, NULL);
    return rc;
}

static int await_taken(struct wk_session *session, const char *key, const char *id,
                       struct bw_error *err)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);
    int rc;

    do {
        (void)nanosleep(&(struct timespec){ .tv_nsec = NAP_NS },
                        NULL); /* woken early: asks again */
        rc = wk_session_command(session, err, "HEXISTS", key, id, NULL);
        if (rc != BW_OK || session->number == 0)
            return rc;
    } while (bw_mono_before(bw_mono_now(NULL), deadline));
    rc = wk_session_command(session, err, "HDEL", key, id, NULL);
    if (rc != BW_OK || session->number == 0)
        return rc;
    return bw_error_set(err, BW_ETIMEDOUT,
                        "job %.64s: no worker with remoteCancel is running it", id);
}

int wk_cancel_job(struct wk_session *session, const char *prefix, const char *queue,
                  const char *id, const char *reason, struct bw_error *err)
{
    struct bw_buf key = BW_BUF_INIT;
    int rc;

    if (bw_buf_addf(&key, "%s::bulwark:%s:cancel", prefix, queue) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    rc = ask(session, bw_buf_text(&key), id, reason != NULL ? reason : "by an operator",
             err);
    if (rc == BW_OK)
        rc = await_taken(session, bw_buf_text(&key), id, err);
    bw_buf_fini(&key);
    return rc;
}
