/* The library's allocations, so that a test can make the n-th one fail. Memory is freed
 * by free(). */
#ifndef BW_BASE_ALLOC_H
#define BW_BASE_ALLOC_H

#include <stddef.h>

void *bw_malloc(size_t size);
void *bw_calloc(size_t count, size_t size);
void *bw_realloc(void *old, size_t size);
char *bw_strdup(const char *text);
char *bw_strndup(const char *text, size_t len);

/* Tests only, one thread: the allocation `nth` from now (0: the next) and all after it
 * fail. */
void bw_alloc_fail_at(size_t nth);
void bw_alloc_fail_never(void);

#endif
