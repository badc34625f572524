/* The process that init has to be: as PID 1 (a container's only program), or wherever
 * orphans of our programs come to us, they have to be waited for.
 *
 * The worker then runs in a child, so that nobody takes away the ends of programs and of
 * what plugins start; this process waits for whoever ends, and passes signals on. */
#ifndef WORKER_REAPER_H
#define WORKER_REAPER_H

#include <stdbool.h>

/* Before any thread exists, signals blocked by wk_signals_block(). False: go on, there is
 * nothing to do or this is the child. True: the child has ended, with *code to end with.
 */
bool wk_reaper_run(int *code);

#endif
