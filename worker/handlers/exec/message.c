#include "handlers/exec/message.h"

#include <stddef.h>

#include "base/assert.h"

struct member {
    const char *key;
    size_t offset;
};

static const struct member members[] = {
    { "type", offsetof(struct ex_message, raw_type) },
    { "seq", offsetof(struct ex_message, raw_seq) },
    { "value", offsetof(struct ex_message, value) },
    { "row", offsetof(struct ex_message, row) },
    { "name", offsetof(struct ex_message, name) },
    { "message", offsetof(struct ex_message, message) },
    { "stack", offsetof(struct ex_message, stack) },
    { "delayMs", offsetof(struct ex_message, delay_ms) },
    { "req", offsetof(struct ex_message, req) },
    { "method", offsetof(struct ex_message, method) },
    { "params", offsetof(struct ex_message, params) },
    { "concurrency", offsetof(struct ex_message, concurrency) },
};

struct type {
    const char *name;
    enum ex_message_type type;
    size_t needs; /* a member it cannot do without; 0: none but seq */
};

static const struct type types[] = {
    { "\"result\"", EX_RESULT, 0 },
    { "\"error\"", EX_ERROR, 0 },
    { "\"progress\"", EX_PROGRESS, offsetof(struct ex_message, value) },
    { "\"log\"", EX_LOG, offsetof(struct ex_message, row) },
    { "\"data\"", EX_DATA, offsetof(struct ex_message, value) },
    { "\"request\"", EX_REQUEST, offsetof(struct ex_message, req) },
};

static struct ex_slice *slice_at(struct ex_message *message, size_t offset)
{
    BW_ASSERT(offset <= sizeof *message - sizeof(struct ex_slice));
    return (struct ex_slice *)(void *)((char *)message + offset);
}

static void take_member(void *arg, struct ex_slice key, struct ex_slice value)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (ex_slice_is(key, members[i].key)) {
            *slice_at(arg, members[i].offset) = value;
            return;
        }
    }
}

void ex_message_parse(struct ex_message *message, struct ex_slice line)
{
    *message = (struct ex_message){ .type = EX_BROKEN };
    if (!ex_json_members(line, take_member, message))
        return;
    if (ex_slice_is(message->raw_type, "\"ready\"")) {
        message->type = EX_SAYS_READY;
        return;
    }
    if (!ex_json_integer(message->raw_seq, &message->seq))
        return;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!ex_slice_is(message->raw_type, types[i].name))
            continue;
        if (types[i].needs == 0 || slice_at(message, types[i].needs)->at != NULL)
            message->type = types[i].type;
        return;
    }
}
