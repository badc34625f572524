#include "telegram/call.h"

#include <stdlib.h>
#include <string.h>

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int encode(struct tg_call *call)
{
    char *body = json_dumps(call->params, JSON_COMPACT);

    if (body == NULL)
        return BW_ENOMEM;
    free(call->body);
    call->body = body;
    call->body_len = strlen(body);
    return BW_OK;
}

struct tg_call *tg_call_create(const char *token, const char *method, json_t *params)
{
    struct tg_call *call = calloc(1, sizeof *call);

    if (call == NULL) {
        json_decref(params);
        return NULL;
    }
    call->params = params;
    call->token = strdup(token);
    call->method = strdup(method);
    call->history.question = begins(method, "get");
    if (call->token == NULL || call->method == NULL || !json_is_object(params) ||
        encode(call) != BW_OK)
        tg_call_destroy(&call);
    return call;
}

void tg_call_send_once(struct tg_call *call)
{
    call->history.once = true;
}

void tg_call_destroy(struct tg_call **callp)
{
    struct tg_call *call = *callp;

    if (call == NULL)
        return;
    *callp = NULL;
    tg_answer_fini(&call->answer);
    bw_buf_fini(&call->response);
    json_decref(call->params);
    free(call->token);
    free(call->method);
    free(call->body);
    free(call);
}

bool tg_call_has_parse_mode(const struct tg_call *call)
{
    return json_object_get(call->params, "parse_mode") != NULL;
}

int tg_call_make_plain(struct tg_call *call)
{
    if (json_object_del(call->params, "parse_mode") != 0)
        return BW_ENOMEM; /* it is not there: never asked for then */
    return encode(call);
}

int tg_call_migrate(struct tg_call *call, int64_t chat)
{
    json_t *id = json_sprintf("%lld", (long long)chat);

    if (id == NULL || json_object_set_new(call->params, "chat_id", id) != 0)
        return BW_ENOMEM;
    call->moved_to = chat;
    return encode(call);
}

/* 0 is the id of a message that Telegram sends later. */
bool tg_call_result_fits(const struct tg_call *call)
{
    const json_t *id = json_object_get(call->answer.result, "message_id");
    bool sends = begins(call->method, "send") && strcmp(call->method, "sendChatAction");

    if (!sends && !begins(call->method, "edit"))
        return true;
    if (!sends && json_is_true(call->answer.result))
        return true; /* a message of inline mode */
    return json_is_integer(id) && json_integer_value(id) >= 0 &&
           json_integer_value(id) <= INT32_MAX;
}

void tg_call_describe(struct tg_call *call, const char *text)
{
    tg_scrub(call->answer.description, sizeof call->answer.description, text,
             call->token);
}

/* --- the outcome */

enum tg_outcome tg_call_outcome(const struct tg_call *call)
{
    return call->outcome;
}

bool tg_call_sent(const struct tg_call *call)
{
    return call->history.sent;
}

const json_t *tg_call_result(const struct tg_call *call)
{
    return call->outcome == TG_OK ? call->answer.result : NULL;
}

const json_t *tg_call_params(const struct tg_call *call)
{
    return call->params;
}

bool tg_call_unclear(const struct tg_call *call)
{
    return call->unclear;
}

int64_t tg_call_moved_to(const struct tg_call *call)
{
    return call->moved_to;
}

int tg_call_status(const struct tg_call *call)
{
    return call->status;
}

int tg_call_error_code(const struct tg_call *call)
{
    return call->answer.error_code;
}

const char *tg_call_description(const struct tg_call *call)
{
    return call->answer.description;
}

int64_t tg_call_retry_after_ms(const struct tg_call *call)
{
    return call->answer.retry_after_ms;
}

bool tg_call_fell_back(const struct tg_call *call)
{
    return call->history.plain;
}

unsigned tg_call_attempts(const struct tg_call *call)
{
    return call->attempts;
}

/* --- lists */

void tg_queue_add(struct tg_queue *queue, struct tg_call *call)
{
    call->next = NULL;
    if (queue->last != NULL)
        queue->last->next = call;
    else
        queue->first = call;
    queue->last = call;
}

void tg_queue_add_first(struct tg_queue *queue, struct tg_call *call)
{
    call->next = queue->first;
    queue->first = call;
    if (queue->last == NULL)
        queue->last = call;
}

struct tg_call *tg_queue_take(struct tg_queue *queue)
{
    struct tg_call *call = queue->first;

    if (call == NULL)
        return NULL;
    queue->first = call->next;
    if (queue->first == NULL)
        queue->last = NULL;
    call->next = NULL;
    return call;
}

void tg_queue_move(struct tg_queue *to, struct tg_queue *from)
{
    if (from->first == NULL)
        return;
    if (to->last != NULL)
        to->last->next = from->first;
    else
        to->first = from->first;
    to->last = from->last;
    *from = (struct tg_queue){ 0 };
}

void tg_queue_remove(struct tg_queue *queue, struct tg_call *call)
{
    struct tg_queue kept = { 0 };
    struct tg_call *other;

    while ((other = tg_queue_take(queue)) != NULL)
        if (other != call)
            tg_queue_add(&kept, other);
    *queue = kept;
}
