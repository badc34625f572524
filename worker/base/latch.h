/* One answer from another thread, waited for. Storage of the caller, who ends it only
 * once it is open: until then the other thread may still open it. */
#ifndef WORKER_LATCH_H
#define WORKER_LATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/thread.h>

struct wk_latch {
    struct bw_mutex mtx;
    struct bw_cond open;
    bool done; /* under mtx */
};

void wk_latch_init(struct wk_latch *latch);
void wk_latch_fini(struct wk_latch *latch);
void wk_latch_open(struct wk_latch *latch);
/* False: it is still closed after that time. */
bool wk_latch_wait(struct wk_latch *latch, int64_t timeout_ms);

#endif
