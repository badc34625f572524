#include "handlers/exec/answer.h"

#include <string.h>

#include "base/assert.h"
#include "handlers/exec/message.h"
#include "handlers/exec/request.h"

/* So many side effects may be on their way in the library before the program that sends
 * them has to wait: a flood costs its own program time, not the daemon memory. */
enum { BARRIER_COUNT = 512, BARRIER_BYTES = 1 << 20 };

/* ---- ends */

/* What was asked for earlier, now that the attempt ends. */
static bool move_as_asked(struct ex_entry *entry)
{
    if (entry->after == EX_AFTER_DELAY)
        bw_job_move_to_delayed(ex_entry_give(entry),
                               entry->after_ms - bw_wall_now(NULL).ms);
    else if (entry->after == EX_AFTER_WAIT)
        bw_job_move_to_wait(ex_entry_give(entry));
    else
        return false;
    return true;
}

static void take_result(struct ex_entry *entry, const struct ex_message *message)
{
    static const struct bw_job_failure no_memory = { .message = "exec: out of memory" };
    struct bw_buf json = BW_BUF_INIT;
    bool has_value = message->value.at != NULL;

    if (move_as_asked(entry))
        return;
    if (has_value && ex_json_add_compact(&json, message->value) != BW_OK)
        bw_job_fail(ex_entry_give(entry), &no_memory);
    else
        bw_job_complete(ex_entry_give(entry), has_value ? bw_buf_text(&json) : NULL,
                        json.len);
    bw_buf_fini(&json);
}

/* ---- errors by their names */

static void end_delayed(struct ex_entry *entry, bool has_delay, int64_t delay_ms)
{
    if (has_delay)
        bw_job_move_to_delayed(ex_entry_give(entry), delay_ms);
    else if (!move_as_asked(entry))
        bw_job_moved(ex_entry_give(entry));
}

static void end_moved(struct ex_entry *entry, bool has_delay, int64_t delay_ms)
{
    (void)has_delay; /* the program has moved it: there is nothing to wait for */
    (void)delay_ms;
    if (!move_as_asked(entry))
        bw_job_moved(ex_entry_give(entry));
}

/* Without a delay the program has limited the queue itself, by a call of its own, and
 * that limit must stand: the job goes back to wait and nothing else. */
static void end_limited(struct ex_entry *entry, bool has_delay, int64_t delay_ms)
{
    if (has_delay && delay_ms > 0)
        bw_job_rate_limit(ex_entry_give(entry), delay_ms);
    else
        bw_job_move_to_wait(ex_entry_give(entry));
}

struct path {
    const char *name;
    void (*end)(struct ex_entry *entry, bool has_delay, int64_t delay_ms);
};

static const struct path paths[] = {
    { "\"DelayedError\"", end_delayed },
    { "\"WaitingError\"", end_moved },
    { "\"WaitingChildrenError\"", end_moved },
    { "\"RateLimitError\"", end_limited },
};

static int decode(struct ex_slice value, struct bw_buf *out)
{
    return value.at == NULL || ex_slice_is(value, "null") ? BW_OK
                                                          : ex_json_decode(value, out);
}

static void fail_as_told(struct ex_entry *entry, const struct ex_message *message,
                         bool has_delay, int64_t delay_ms)
{
    struct bw_buf text = BW_BUF_INIT;
    struct bw_buf stack = BW_BUF_INIT;
    struct bw_job_failure failure = {
        .unrecoverable = ex_slice_is(message->name, "\"UnrecoverableError\""),
        .has_delay = has_delay,
        .delay_ms = delay_ms,
    };
    bool whole = decode(message->message, &text) == BW_OK &&
                 decode(message->stack, &stack) == BW_OK;

    failure.message = whole ? bw_buf_text(&text) : "exec: out of memory";
    failure.message_len = whole ? text.len : 0;
    failure.stack = whole && stack.len > 0 ? bw_buf_text(&stack) : NULL;
    failure.stack_len = whole ? stack.len : 0;
    bw_job_fail(ex_entry_give(entry), &failure);
    bw_buf_fini(&text);
    bw_buf_fini(&stack);
}

static void take_error(struct ex_entry *entry, const struct ex_message *message)
{
    int64_t delay_ms = 0;
    bool has_delay = ex_json_integer(message->delay_ms, &delay_ms);

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (ex_slice_is(message->name, paths[i].name)) {
            paths[i].end(entry, has_delay, delay_ms);
            return;
        }
    }
    if (!move_as_asked(entry))
        fail_as_told(entry, message, has_delay, delay_ms);
}

static void take_end(struct ex_entry *entry, const struct ex_message *message)
{
    if (entry->job != NULL) {
        if (message->type == EX_RESULT)
            take_result(entry, message);
        else
            take_error(entry, message);
    }
    ex_entry_end(entry);
}

/* ---- side effects */

static int send_effect(struct bw_job *job, const struct ex_message *message,
                       const struct bw_buf *text)
{
    switch (message->type) {
    case EX_PROGRESS:
        return bw_job_update_progress(job, bw_buf_text(text), text->len);
    case EX_DATA:
        return bw_job_update_data(job, bw_buf_text(text), text->len);
    default:
        return bw_job_add_log(job, bw_buf_text(text), text->len);
    }
}

static void take_effect(struct ex_program *program, struct ex_entry *entry,
                        const struct ex_message *message)
{
    struct bw_buf text = BW_BUF_INIT;
    int rc = message->type == EX_LOG ? ex_json_decode(message->row, &text)
                                     : ex_json_add_compact(&text, message->value);

    if (rc == BW_OK)
        rc = send_effect(entry->job, message, &text);
    if (rc != BW_OK)
        bw_log(&program->log, BW_LOG_WARNING, "a job's side effect was not stored",
               bw_text_len("job", bw_job_id(entry->job), bw_job_id_len(entry->job)),
               bw_text("code", bw_code_name(rc)));
    program->effect_bytes += text.len;
    program->effects++;
    bw_buf_fini(&text);
    if (program->effects >= BARRIER_COUNT || program->effect_bytes >= BARRIER_BYTES) {
        program->effects = 0;
        program->effect_bytes = 0;
        program->redis = bw_job_redis(entry->job);
        program->common->ops->barrier(program);
    }
}

/* ---- */

static bool take_ready(struct ex_program *program, const struct ex_message *message)
{
    const struct ex_common *common = program->common;
    int64_t limit = common->share;

    BW_ASSERT(limit > 0); /* a program without a share would never be given a job */
    if (message->concurrency.at != NULL &&
        (!ex_json_integer(message->concurrency, &limit) || limit < 1))
        return false;
    if (limit < (int64_t)common->share)
        program->limit = (unsigned)limit;
    else
        program->limit = common->share;
    if (program->state != EX_STARTING)
        return true; /* said again: only the share may have changed */
    program->state = EX_READY;
    program->ready_since = bw_mono_now(NULL);
    bw_log(&program->log, BW_LOG_INFO, "processor is ready",
           bw_num("concurrency", program->limit));
    common->ops->ready_changed(program);
    return true;
}

bool ex_answer_take(struct ex_program *program, struct ex_slice line)
{
    struct ex_message message;
    struct ex_entry *entry;

    ex_message_parse(&message, line);
    if (message.type == EX_BROKEN)
        return false;
    if (message.type == EX_SAYS_READY)
        return take_ready(program, &message);
    entry = ex_entry_find(&program->jobs, message.seq);
    if (entry == NULL) { /* answered already, and perhaps taken from it */
        bw_log(&program->log, BW_LOG_DEBUG, "a message for no job it has",
               bw_num("seq", message.seq));
        return true;
    }
    BW_ASSERT(entry->jobs == &program->jobs && !entry->moving);
    if (message.type == EX_RESULT || message.type == EX_ERROR)
        take_end(entry, &message);
    else if (message.type == EX_REQUEST)
        ex_request_take(program, entry, &message);
    else if (entry->job != NULL)
        take_effect(program, entry, &message);
    return true;
}
