/* Programs that end before they are ready: what is likely wrong, and when to give up. */
#ifndef WORKER_HANDLERS_EXEC_VAIN_H
#define WORKER_HANDLERS_EXEC_VAIN_H

#include <stdatomic.h>

#include "handlers/exec/program.h"
#include "handlers/handler.h"

struct ex_vain {
    const struct wk_handler_env *env;
    /* All of the queue; borrowed. */
    struct ex_program *programs;
    size_t count;
    /* For other threads: one program was ready; all have failed to be. */
    _Atomic bool ever_ready, hopeless;
    /* A leaf. Guards `why`: the last vain start; "": none. */
    struct bw_mutex mtx;
    char why[256];
};

void ex_vain_init(struct ex_vain *vain, const struct wk_handler_env *env);
void ex_vain_fini(struct ex_vain *vain);

/* It ended, not having been ready: told as an error with what is likely. When that is all
 * that ever happens in this pool, its environment is told (handler.h: hopeless). */
void ex_vain_end(struct ex_vain *vain, struct ex_program *program, const char *reason);
/* A program is ready. */
void ex_vain_over(struct ex_vain *vain);

/* Any thread: why no program is ready; whether none ever will be. */
void ex_vain_why(struct ex_vain *vain, char *text, size_t size);
bool ex_vain_is_hopeless(const struct ex_vain *vain);

#endif
