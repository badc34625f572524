/* What a misspelt word was meant to be. Pure; any thread. */
#ifndef WORKER_NEAREST_H
#define WORKER_NEAREST_H

#include <stddef.h>

/* Borrowed: the known name nearest to `word`, or NULL when none is near. `name_at`
 * returns NULL past the end. */
const char *wk_nearest(const char *word,
                       const char *(*name_at)(const void *arg, size_t index),
                       const void *arg);
/* The same, with at most so many letters that differ; 0: only capitals may. */
const char *wk_nearest_within(const char *word, unsigned most,
                              const char *(*name_at)(const void *arg, size_t index),
                              const void *arg);

#endif
