/* The processor threads: run tasks in the order they came, and delayed ones when their
 * time has come. Handlers that block are tasks like any other, so both are served fairly.
 * Any thread. */
#ifndef BW_RUN_PROCESSORS_H
#define BW_RUN_PROCESSORS_H

#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/worker.h>

struct bw_processors;

/* Starts `count` threads. */
BW_MUSTCHECK int bw_processors_start(struct bw_processors **poolp, unsigned count,
                                     struct bw_error *err);
/* Appends a chain of `count` tasks, linked by `next`, under one lock. After the end began
 * tasks are refused: false, and they stay the caller's. */
bool bw_processors_post(struct bw_processors *pool, struct bw_task *first,
                        struct bw_task *last, unsigned count);
bool bw_processors_post_after(struct bw_processors *pool, struct bw_task *task,
                              int64_t delay_ms);
/* A task of bw_processors_post_after() that still waits for its time runs at once. */
void bw_processors_hurry(struct bw_processors *pool, struct bw_task *task);
/* Refuses new tasks, runs those that are left (the delayed ones at once), joins the
 * threads, frees. NULL-safe; empties the pointer. */
void bw_processors_stop(struct bw_processors **poolp);

#endif
