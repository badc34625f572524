#include "jobs/requests.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "queue/calls.h"
#include "jobs/groups.h"
#include "jobs/intake.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"
#include "jobs/outcome.h"

struct move {
    struct bw_letter letter;
    struct bw_list node;
    /* Ours while the request lasts. */
    struct bw_job *job;
    bw_job_moved_cb *cb;
    void *arg;
    struct bw_text child;
    char text[];
};

struct extension {
    struct bw_letter letter;
    struct bw_lane *lane;
    /* Until it is sent: a job's answer comes after its requests. */
    struct bw_job *job;
    int64_t duration_ms;
    struct bw_mono sent;
    bw_job_lock_cb *cb;
    void *arg;
    size_t len;
    /* Names the job afterwards: it may be gone by then. */
    char token[];
};

static void deliver_move(struct bw_letter *letter, bool open);
static void on_moved(const struct bw_reply *reply, const struct bw_error *err, void *arg);
static void deliver_extension(struct bw_letter *letter, bool open);
static void on_extended(const struct bw_reply *reply, const struct bw_error *err,
                        void *arg);

/* --- life */

void bw_requests_init(struct bw_requests *requests, struct bw_caller *caller,
                      struct bw_letterbox *letters)
{
    requests->caller = caller;
    requests->letters = letters;
    bw_list_init(&requests->moves);
    bw_mutex_init(&requests->mutex);
}

void bw_requests_fini(struct bw_requests *requests)
{
    BW_ASSERT(bw_list_is_empty(&requests->moves));
    bw_mutex_fini(&requests->mutex);
}

/* False, and nothing is sent, once nobody would read it. */
static bool send_letter(struct bw_requests *requests, struct bw_letter *letter)
{
    bool open;

    bw_mutex_lock(&requests->mutex);
    open = !requests->closed;
    if (open)
        bw_letterbox_send(requests->letters, letter);
    bw_mutex_unlock(&requests->mutex);
    return open;
}

/* --- waiting for children: a handler asks, any thread */

int bw_job_move_to_waiting_children(struct bw_job *job, const char *child,
                                    bw_job_moved_cb *cb, void *arg)
{
    size_t len = child != NULL ? strlen(child) : 0;
    struct move *move = bw_calloc(1, sizeof *move + len + 1);

    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (move == NULL)
        return BW_ENOMEM;
    move->letter.deliver = deliver_move;
    bw_list_init(&move->node);
    move->job = job;
    move->cb = cb;
    move->arg = arg;
    if (child != NULL) {
        memcpy(move->text, child, len);
        move->child = (struct bw_text){ move->text, len };
    }
    if (send_letter(&job->lane->lanes->requests, &move->letter))
        return BW_OK;
    free(move);
    return BW_ECLOSED;
}

/* --- … it is sent, perhaps again */

static void end_move(struct move *move, bool moved, const struct bw_error *err)
{
    move->cb(moved, err, move->arg);
    free(move);
}

static void wait_to_be_sent(struct move *move)
{
    move->job->place = BW_JOB_READY; /* so its lock is renewed */
    bw_list_append(&move->job->lane->lanes->requests.moves, &move->node);
}

static void deliver_move(struct bw_letter *letter, bool open)
{
    struct move *move = BW_LIST_OF(letter, struct move, letter);
    struct bw_error err;

    if (!open || move->job->place != BW_JOB_HELD) {
        (void)bw_error_set(
            &err, open ? BW_EJOB_NO_LOCK : BW_ECLOSED, "moving to waiting-children: %s",
            open ? "the worker took the job back" : "the worker has ended");
        end_move(move, false, &err);
        return;
    }
    wait_to_be_sent(move);
    bw_requests_flush(&move->job->lane->lanes->requests);
}

static bool send_move(struct bw_caller *caller, struct move *move)
{
    struct bw_job *job = move->job;
    struct bw_cmd *cmd = bw_caller_cmd(caller);

    bw_move_to_waiting_children_build(cmd, &job->lane->keys, bw_caller_wall(caller),
                                      job->data.id, job->data.token, move->child,
                                      job->unsure);
    return bw_caller_call(caller, cmd, on_moved, move) == BW_OK;
}

void bw_requests_flush(struct bw_requests *requests)
{
    struct bw_list *moves = &requests->moves;

    while (!bw_list_is_empty(moves) && bw_caller_can_call(requests->caller)) {
        struct move *move = BW_LIST_OF(moves->next, struct move, node);

        BW_ASSERT(move->job->place == BW_JOB_READY);
        if (!send_move(requests->caller, move))
            return; /* not connected after all, or no memory: in a later turn */
        bw_list_remove(&move->node);
        move->job->place = BW_JOB_SENT;
    }
}

/* --- … Redis answers */

/* The job is its handler's again; unless the drain's deadline passed meanwhile. */
static void give_back(struct move *move, const struct bw_error *err)
{
    struct bw_job *job = move->job;

    BW_ASSERT(job->place == BW_JOB_SENT);
    job->place = BW_JOB_HELD;
    job->unsure = false;
    if (job->lane->lanes->ending.deadline_passed)
        bw_intake_give_up(job);
    end_move(move, false, err);
}

static void give_back_code(struct move *move, int code, const char *text)
{
    struct bw_error err;

    (void)bw_error_set(&err, code, "moving to waiting-children: %s", text);
    give_back(move, &err);
}

/* The reference throws an UnrecoverableError with this text. BMQ-174 */
static void give_back_failed(struct move *move)
{
    struct bw_buf text = BW_BUF_INIT;
    struct bw_error err = { BW_ENOMEM, "out of memory" };

    if (bw_outcome_name_job(&text, "Cannot complete job", move->job->data.id,
                            BW_CHILD_FAILED " moveToWaitingChildren") == BW_OK)
        (void)bw_error_set(&err, BW_EJOB_FAILED_CHILD, "%s", bw_buf_text(&text));
    bw_buf_fini(&text);
    move->job->child_failed = true;
    give_back(move, &err);
}

static void move_done(struct move *move)
{
    struct bw_job *job = move->job;

    bw_job_forget_handler(job);
    bw_lane_release(job);
    bw_groups_left(job);
    bw_lane_job_gone(job);
    end_move(move, true, NULL);
}

static const char *code_text(int code)
{
    switch (code) {
    case BW_EJOB_MISSING:
        return "the job is gone";
    case BW_EJOB_NO_LOCK:
        return "its lock has expired";
    case BW_EJOB_LOCKED:
        return "its lock belongs to another worker";
    case BW_EJOB_STATE:
        return "the job is not active";
    default:
        return "unexpected reply";
    }
}

/* Codes of a job that is not ours any more: what an executed call leaves behind as well.
 */
static bool is_not_ours(int code)
{
    return code == BW_EJOB_MISSING || code == BW_EJOB_NO_LOCK || code == BW_EJOB_LOCKED;
}

static void on_moved(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct move *move = arg;
    struct bw_job *job = move->job;
    int code;

    BW_ASSERT(job->magic == BW_JOB_MAGIC && job->place == BW_JOB_SENT);
    if (err != NULL && err->code == BW_EREDIS) {
        give_back(move, err);
        return;
    }
    if (err != NULL) { /* lost: sent again when the connection is back */
        job->unsure = job->unsure || err->code != BW_ECLOSED;
        wait_to_be_sent(move);
        return;
    }
    code = bw_reply_kind(reply) == BW_REPLY_INTEGER
               ? bw_script_code(bw_reply_integer(reply))
               : BW_EPROTO;
    if (code == BW_OK && bw_reply_integer(reply) > 0)
        give_back(move, NULL);
    else if (code == BW_OK || (job->unsure && is_not_ours(code)))
        move_done(move);
    else if (code == BW_EJOB_FAILED_CHILD)
        give_back_failed(move);
    else
        give_back_code(move, code, code_text(code));
}

/* --- extending the lock: a handler asks, any thread */

int bw_job_extend_lock(struct bw_job *job, int64_t duration_ms, bw_job_lock_cb *cb,
                       void *arg)
{
    const struct bw_text *token = &job->data.token;
    struct extension *extension;

    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    if (duration_ms <= 0)
        return BW_EINVAL;
    extension = bw_calloc(1, sizeof *extension + token->len + 1);
    if (extension == NULL)
        return BW_ENOMEM;
    extension->letter.deliver = deliver_extension;
    extension->lane = job->lane;
    extension->job = job;
    extension->duration_ms = duration_ms;
    extension->cb = cb;
    extension->arg = arg;
    extension->len = token->len;
    memcpy(extension->token, token->data, token->len);
    if (send_letter(&job->lane->lanes->requests, &extension->letter))
        return BW_OK;
    free(extension);
    return BW_ECLOSED;
}

/* --- … it is sent, once */

static void end_extension(struct extension *extension, bool held,
                          const struct bw_error *err)
{
    extension->cb(held, err, extension->arg);
    free(extension);
}

static void deliver_extension(struct bw_letter *letter, bool open)
{
    struct extension *extension = BW_LIST_OF(letter, struct extension, letter);
    const struct bw_job *job = extension->job;
    struct bw_caller *caller = extension->lane->caller;
    struct bw_error err;
    struct bw_cmd *cmd;
    int result = BW_ECLOSED;

    if (open && job->place != BW_JOB_HELD) { /* the worker took it back */
        end_extension(extension, false, NULL);
        return;
    }
    if (open) {
        cmd = bw_caller_cmd(caller);
        extension->sent = bw_caller_now(caller);
        bw_extend_locks_build(cmd, &extension->lane->keys, extension->duration_ms,
                              &job->data.id, &job->data.token, 1);
        extension->job = NULL;
        result = bw_caller_call(caller, cmd, on_extended, extension);
    }
    if (result == BW_OK)
        return;
    (void)bw_error_set(&err, result, "extending the lock: %s",
                       result == BW_ENOMEM ? "out of memory" : "not connected");
    end_extension(extension, false, &err);
}

/* --- … Redis answers */

static void note_lock(const struct extension *extension)
{
    for (struct bw_job *job = NULL;
         (job = bw_lane_next_job(extension->lane, job)) != NULL;) {
        if (job->data.token.len == extension->len &&
            memcmp(job->data.token.data, extension->token, extension->len) == 0)
            atomic_store_explicit(
                &job->lock_until_ns,
                bw_mono_add_ms(extension->sent, extension->duration_ms).ns,
                memory_order_relaxed);
    }
}

/* The reply lists the ids whose lock is not ours. */
static void on_extended(const struct bw_reply *reply, const struct bw_error *err,
                        void *arg)
{
    struct extension *extension = arg;
    bool held = err == NULL && bw_reply_count(reply) == 0;

    BW_ASSERT(extension->lane->magic == BW_LANE_MAGIC && extension->job == NULL);
    if (held)
        note_lock(extension);
    end_extension(extension, held, err);
}

/* --- the end */

void bw_requests_close(struct bw_requests *requests)
{
    struct bw_list *node;

    bw_mutex_lock(&requests->mutex);
    requests->closed = true;
    bw_mutex_unlock(&requests->mutex);
    bw_letterbox_read(requests->letters, false);
    while ((node = bw_list_shift(&requests->moves)) != NULL) {
        struct move *move = BW_LIST_OF(node, struct move, node);
        struct bw_error err;

        move->job->place = BW_JOB_HELD; /* its answer goes nowhere any more */
        (void)bw_error_set(&err, BW_ECLOSED,
                           "moving to waiting-children: the worker has ended");
        end_move(move, false, &err);
    }
}
