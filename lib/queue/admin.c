/* What changes jobs and queues. lib/spec/bullmq.md §§7.1–7.3 */
#include "queue/admin_call.h"

#include <string.h>

#include "queue/calls_impl.h"
#include "queue/json_text.h"
#include "scripts.h"

#define BATCH       1000 /* jobs a call, when nobody says */
#define CLEAN_MAX   10000
#define LATEST_EVER "+inf"

/* --- one job */

static void build_remove(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_remove);
    bw_cmd_str(cmd, call->id);
    bw_cmd_flag(cmd, call->flag);
}

int bw_admin_remove(const struct bw_queue_at *at, const char *id, bool children,
                    bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "remove", build_remove, NULL, true };

    return bw_admin_run(at, &kind,
                        &(struct bw_admin_ask){
                            .id = id, .flag = children, .number_cb = cb, .arg = arg });
}

static void build_remove_children(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_remove_children);
    bw_cmd_str(cmd, call->id);
}

int bw_admin_remove_children(const struct bw_queue_at *at, const char *id,
                             bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "removeUnprocessedChildren",
                                               build_remove_children, NULL, true };

    return bw_admin_run(at, &kind,
                        &(struct bw_admin_ask){ .id = id, .number_cb = cb, .arg = arg });
}

static void build_change_delay(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_change_delay);
    bw_cmd_str(cmd, call->id);
    bw_cmd_int(cmd, bw_wall_now(call->clock).ms);
    bw_cmd_int(cmd, call->one);
}

int bw_admin_change_delay(const struct bw_queue_at *at, const char *id, int64_t delay_ms,
                          bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "changeDelay", build_change_delay, NULL,
                                               true };

    return bw_admin_run(
        at, &kind,
        &(struct bw_admin_ask){ .id = id, .one = delay_ms, .number_cb = cb, .arg = arg });
}

static void build_change_priority(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_change_priority);
    bw_cmd_str(cmd, call->id);
    bw_cmd_int(cmd, call->one);
    bw_cmd_flag(cmd, call->flag);
}

int bw_admin_change_priority(const struct bw_queue_at *at, const char *id,
                             int64_t priority, bool lifo, bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "changePriority", build_change_priority,
                                               NULL, true };

    return bw_admin_run(
        at, &kind,
        &(struct bw_admin_ask){
            .id = id, .one = priority, .flag = lifo, .number_cb = cb, .arg = arg });
}

static void build_promote(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_promote);
    bw_cmd_str(cmd, call->id);
    bw_cmd_flag(cmd, call->strict);
}

int bw_admin_promote(const struct bw_queue_at *at, const char *id, bw_number_cb *cb,
                     void *arg)
{
    static const struct bw_admin_kind kind = { "promote", build_promote, NULL, true };

    return bw_admin_run(at, &kind,
                        &(struct bw_admin_ask){ .id = id, .number_cb = cb, .arg = arg });
}

static void build_reprocess(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_reprocess);
    bw_cmd_str(cmd, call->id);
    bw_cmd_str(cmd, call->state);
    bw_cmd_flag(cmd, call->flag);
    bw_cmd_flag(cmd, call->other);
    bw_cmd_int(cmd, call->line);
}

static bool has_ended(const char *state)
{
    return state != NULL &&
           (strcmp(state, "failed") == 0 || strcmp(state, "completed") == 0);
}

int bw_admin_reprocess(const struct bw_queue_at *at, const char *id, const char *state,
                       bool reset_made, bool reset_started, bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "retry", build_reprocess, NULL, true };

    if (!has_ended(state))
        return BW_EINVAL;
    return bw_admin_run(at, &kind,
                        &(struct bw_admin_ask){ .id = id,
                                                .state = state,
                                                .flag = reset_made,
                                                .other = reset_started,
                                                .number_cb = cb,
                                                .arg = arg });
}

/* --- many: the scripts answer 1 while there may be more */

static enum bw_admin_step take_more(struct bw_admin_call *call,
                                    const struct bw_reply *reply, struct bw_error *err)
{
    if (bw_reply_kind(reply) != BW_REPLY_INTEGER) {
        (void)bw_error_set(err, BW_EPROTO, "%s: unexpected reply", call->kind->name);
        return BW_ADMIN_END;
    }
    return bw_reply_integer(reply) > 0 ? BW_ADMIN_AGAIN : BW_ADMIN_END;
}

static void build_drain(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_drain);
    bw_cmd_flag(cmd, call->flag);
    bw_cmd_int(cmd, BATCH);
    bw_cmd_flag(cmd, call->strict);
}

int bw_admin_drain(const struct bw_queue_at *at, bool delayed, bw_number_cb *cb,
                   void *arg)
{
    static const struct bw_admin_kind kind = { "drain", build_drain, take_more, false };

    return bw_admin_run(
        at, &kind,
        &(struct bw_admin_ask){ .flag = delayed, .number_cb = cb, .arg = arg });
}

static void build_move(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_move_jobs);
    bw_cmd_str(cmd, call->state);
    bw_cmd_int(cmd, call->one);
    if (call->two >= 0)
        bw_cmd_int(cmd, call->two);
    else
        bw_cmd_str(cmd, LATEST_EVER);
    bw_cmd_flag(cmd, call->strict);
    bw_cmd_int(cmd, call->line);
}

static int move_jobs(const struct bw_queue_at *at, const struct bw_admin_kind *kind,
                     const char *state, int64_t count, int64_t latest, bw_number_cb *cb,
                     void *arg)
{
    return bw_admin_run(at, kind,
                        &(struct bw_admin_ask){ .state = state,
                                                .one = count > 0 ? count : BATCH,
                                                .two = latest,
                                                .number_cb = cb,
                                                .arg = arg });
}

int bw_admin_retry_jobs(const struct bw_queue_at *at, const char *state, int64_t count,
                        int64_t timestamp, bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "retryJobs", build_move, take_more,
                                               false };

    if (!bw_queue_at_is_whole(at) || !has_ended(state))
        return BW_EINVAL;
    return move_jobs(at, &kind, state, count,
                     timestamp > 0 ? timestamp : bw_wall_now(at->clock).ms, cb, arg);
}

int bw_admin_promote_jobs(const struct bw_queue_at *at, int64_t count, bw_number_cb *cb,
                          void *arg)
{
    static const struct bw_admin_kind kind = { "promoteJobs", build_move, take_more,
                                               false };

    return move_jobs(at, &kind, "delayed", count, -1, cb, arg);
}

/* --- obliterate: paused first */

static void build_obliterate(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    if (!call->begun) {
        bw_pause_build(cmd, &call->keys);
        return;
    }
    bw_admin_script(call, cmd, &bw_script_obliterate);
    bw_cmd_int(cmd, call->one);
    bw_cmd_flag(cmd, call->flag);
}

static enum bw_admin_step take_obliterate(struct bw_admin_call *call,
                                          const struct bw_reply *reply,
                                          struct bw_error *err)
{
    int64_t number = bw_reply_integer(reply);

    if (!call->other) { /* it is paused now */
        call->other = true;
        return BW_ADMIN_AGAIN;
    }
    if (number < 0)
        (void)bw_error_set(err, BW_EINVAL, "obliterate: %s",
                           number == -1 ? "the queue is not paused any more"
                                        : "jobs of the queue run");
    return number > 0 ? BW_ADMIN_AGAIN : BW_ADMIN_END;
}

int bw_admin_obliterate(const struct bw_queue_at *at, int64_t count, bool force,
                        bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "obliterate", build_obliterate,
                                               take_obliterate, false };

    return bw_admin_run(at, &kind,
                        &(struct bw_admin_ask){ .one = count > 0 ? count : BATCH,
                                                .flag = force,
                                                .number_cb = cb,
                                                .arg = arg });
}

/* --- clean: `two` more jobs may go, < 0: all; call->number counts them */

static int64_t clean_batch(const struct bw_admin_call *call)
{
    int64_t left = call->two - call->number;

    return call->two < 0 || left > CLEAN_MAX ? CLEAN_MAX : left;
}

static void build_clean(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_clean);
    bw_cmd_str(cmd, call->state);
    bw_cmd_int(cmd, call->one);
    bw_cmd_int(cmd, clean_batch(call));
}

static int add_id(struct bw_admin_call *call, const struct bw_reply *id)
{
    size_t len;
    const char *text = bw_reply_text(id, &len);
    int rc = bw_buf_add_char(&call->json, call->number++ == 0 ? '[' : ',');

    return rc == BW_OK ? bw_json_add_string(&call->json, text, len) : rc;
}

static enum bw_admin_step take_clean(struct bw_admin_call *call,
                                     const struct bw_reply *reply, struct bw_error *err)
{
    size_t count = bw_reply_count(reply);
    int64_t asked = clean_batch(call);
    int rc = BW_OK;

    for (size_t i = 0; rc == BW_OK && i < count; i++)
        rc = add_id(call, bw_reply_at(reply, i));
    if (rc == BW_OK && (int64_t)count == asked &&
        (call->two < 0 || call->number < call->two))
        return BW_ADMIN_AGAIN;
    if (rc == BW_OK)
        rc = bw_buf_add_str(&call->json, call->number == 0 ? "[]" : "]");
    if (rc != BW_OK)
        (void)bw_error_set(err, rc, "clean: out of memory");
    return BW_ADMIN_END;
}

int bw_admin_clean(const struct bw_queue_at *at, const char *state, int64_t grace_ms,
                   int64_t limit, bw_json_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "clean", build_clean, take_clean, false };
    static const char *const states[] = { "wait",    "paused",          "active",
                                          "delayed", "prioritized",     "completed",
                                          "failed",  "waiting-children" };
    size_t i = 0;

    if (!bw_queue_at_is_whole(at) || state == NULL)
        return BW_EINVAL;
    while (i < sizeof states / sizeof *states && strcmp(states[i], state) != 0)
        i++;
    if (i == sizeof states / sizeof *states)
        return BW_EINVAL;
    return bw_admin_run(
        at, &kind,
        &(struct bw_admin_ask){ .state = state,
                                .one = bw_wall_now(at->clock).ms - grace_ms,
                                .two = limit > 0 ? limit : -1,
                                .json_cb = cb,
                                .arg = arg });
}

/* --- limits of the queue: fields of `meta` */

static void build_concurrency(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_cmd_str(cmd, call->one >= 0 ? "HSET" : "HDEL");
    bw_cmd_key(cmd, &call->keys, BW_KEY_META);
    bw_cmd_str(cmd, "concurrency");
    if (call->one >= 0)
        bw_cmd_int(cmd, call->one);
}

int bw_admin_set_concurrency(const struct bw_queue_at *at, int64_t concurrency,
                             bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "setGlobalConcurrency", build_concurrency,
                                               NULL, false };

    return bw_admin_run(
        at, &kind,
        &(struct bw_admin_ask){ .one = concurrency, .number_cb = cb, .arg = arg });
}

static void build_rate_limit(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_cmd_str(cmd, call->one >= 0 ? "HSET" : "HDEL");
    bw_cmd_key(cmd, &call->keys, BW_KEY_META);
    bw_cmd_str(cmd, "max");
    if (call->one >= 0)
        bw_cmd_int(cmd, call->one);
    bw_cmd_str(cmd, "duration");
    if (call->one >= 0)
        bw_cmd_int(cmd, call->two);
}

int bw_admin_set_rate_limit(const struct bw_queue_at *at, int64_t max,
                            int64_t duration_ms, bw_number_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "setGlobalRateLimit", build_rate_limit,
                                               NULL, false };

    return bw_admin_run(
        at, &kind,
        &(struct bw_admin_ask){
            .one = max, .two = duration_ms, .number_cb = cb, .arg = arg });
}
