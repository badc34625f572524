/* The library's allocations, so that a test can make the nth of them fail.
 *
 * Memory is freed with free(). Any thread; the test hook counts for the calling thread
 * only. */
#ifndef BW_BASE_ALLOC_H
#define BW_BASE_ALLOC_H

#include <stddef.h>

#include <bulwark/api.h>

/* NULL when memory is out, or `count * size` does not fit a size_t. A size of 0 gives a
 * pointer. */
BW_MUSTCHECK void *bw_alloc(size_t size);
BW_MUSTCHECK void *bw_calloc(size_t count, size_t size);
/* On failure the old memory stays. */
BW_MUSTCHECK void *bw_realloc(void *old, size_t size);
BW_MUSTCHECK char *bw_strdup(const char *text);
/* Copies `len` bytes and adds a NUL. */
BW_MUSTCHECK char *bw_memdup(const void *data, size_t len);

/* Tests: the call after `nth` further ones fails, once, on this thread. */
void bw_alloc_fail_at(size_t nth);
void bw_alloc_fail_never(void);

#endif
