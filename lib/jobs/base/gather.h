/* Tasks for the processor threads, gathered while a turn of the loop lasts and handed out
 * at its end: one lock and one wake-up for all of them. On the reactor. */
#ifndef BW_JOBS_BASE_GATHER_H
#define BW_JOBS_BASE_GATHER_H

struct bw_task;

/* Takes a chain of `count` tasks, linked by `next`. */
typedef void bw_gather_fn(struct bw_task *first, struct bw_task *last, unsigned count,
                          void *arg);

struct bw_gather {
    struct bw_task *head, *tail;
    unsigned count;
    bw_gather_fn *fn;
    void *arg;
};

void bw_gather_init(struct bw_gather *gather, bw_gather_fn *fn, void *arg);
void bw_gather_add(struct bw_gather *gather, struct bw_task *task);
/* At the end of the turn. */
void bw_gather_hand_out(struct bw_gather *gather);

#endif
