/* What a program asks of the library, and the library's answers. */
#ifndef WORKER_HANDLERS_EXEC_REQUEST_H
#define WORKER_HANDLERS_EXEC_REQUEST_H

#include "handlers/exec/message.h"
#include "handlers/exec/program.h"

/* Answers at once, or when the library has. */
void ex_request_take(struct ex_program *program, struct ex_entry *entry,
                     const struct ex_message *message);
/* Has the library say when it has done what was sent so far; until then nothing is read
 * from the program. While Redis is away the library cannot say so: asked again. */
void ex_request_barrier(struct ex_program *program);

#endif
