/* What a program says about its jobs, done to them in the order in which it was said. */
#ifndef WORKER_HANDLERS_EXEC_ANSWER_H
#define WORKER_HANDLERS_EXEC_ANSWER_H

#include "handlers/exec/program.h"

/* One line. False: a breach of the protocol. */
bool ex_answer_take(struct ex_program *program, struct ex_slice line);

#endif
