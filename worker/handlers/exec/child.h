/* A process with pipes to its stdin, stdout and stderr, in a process group of its own.
 *
 * It dies with the thread that started it (PR_SET_PDEATHSIG): that thread must live as
 * long as its children. Nothing here blocks. */
#ifndef WORKER_HANDLERS_EXEC_CHILD_H
#define WORKER_HANDLERS_EXEC_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "handlers/exec/settings.h"

/* What a child that could not become the program says to stderr begins so. */
#define EX_CANNOT_START "cannot start the program: "

struct ex_child {
    pid_t pid; /* 0: none */
    int in;    /* its stdin; the descriptors do not block; -1: closed */
    int out;
    int err;
    int life; /* readable once it has ended; -1: the system has no such thing */
};

/* A program that cannot be run ends with code 127 after a word on stderr. BW_ESYSTEM. */
BW_MUSTCHECK int ex_child_spawn(struct ex_child *child,
                                const struct ex_settings *settings, struct bw_error *err);

/* To the whole group. */
void ex_child_signal(const struct ex_child *child, int number);

/* True when it has ended; `status` is wait(2)'s. What is left of its group is killed;
 * `pid` is 0 afterwards. */
bool ex_child_ended(struct ex_child *child, int *status);

void ex_child_close_in(struct ex_child *child);
void ex_child_close(struct ex_child *child);

#endif
