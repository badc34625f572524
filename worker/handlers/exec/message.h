/* What a program writes: one message a line (worker/handlers/exec/protocol.md, "Program
 * to worker").
 *
 * Any thread. Pieces borrow from the line. */
#ifndef WORKER_HANDLERS_EXEC_MESSAGE_H
#define WORKER_HANDLERS_EXEC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "handlers/exec/json.h"

enum ex_message_type {
    EX_SAYS_READY,
    EX_RESULT,
    EX_ERROR,
    EX_PROGRESS,
    EX_LOG,
    EX_DATA,
    EX_REQUEST,
    EX_BROKEN /* not a JSON object, of no known type, or without what its type needs */
};

struct ex_message {
    enum ex_message_type type;
    int64_t seq;
    struct ex_slice value, row;                     /* raw JSON; absent: at NULL */
    struct ex_slice name, message, stack, delay_ms; /* of an error */
    struct ex_slice req, method, params;            /* of a request */
    struct ex_slice concurrency;                    /* of ready */
    struct ex_slice raw_type, raw_seq;
};

void ex_message_parse(struct ex_message *message, struct ex_slice line);

#endif
