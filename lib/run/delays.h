/* Tasks that wait for their time: a pairing heap by `due`, made of the tasks themselves,
 * so that nothing is allocated. The root is the earliest; NULL is the empty heap. The
 * caller locks. */
#ifndef BW_RUN_DELAYS_H
#define BW_RUN_DELAYS_H

#include <bulwark/worker.h>

void bw_delays_push(struct bw_task **root, struct bw_task *task);
/* New: the earliest, taken out. The heap must not be empty. */
struct bw_task *bw_delays_pop(struct bw_task **root);
/* Takes `task` out; false: it is not there. It may have been freed then: only its address
 * is looked at. Touches every task. */
bool bw_delays_remove(struct bw_task **root, const struct bw_task *task);

#endif
