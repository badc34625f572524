#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* SIZE_MAX: never fail. Read relaxed: only tests write it. */
static _Atomic size_t allocations_left = SIZE_MAX;

static int must_fail(void)
{
    size_t left = atomic_load_explicit(&allocations_left, memory_order_relaxed);

    if (left == SIZE_MAX)
        return 0;
    if (left == 0)
        return 1;
    atomic_store_explicit(&allocations_left, left - 1, memory_order_relaxed);
    return 0;
}

void bw_alloc_fail_at(size_t nth)
{
    atomic_store(&allocations_left, nth);
}

void bw_alloc_fail_never(void)
{
    atomic_store(&allocations_left, SIZE_MAX);
}

void *bw_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size);
}

void *bw_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : calloc(count, size);
}

void *bw_realloc(void *old, size_t size)
{
    return must_fail() ? NULL : realloc(old, size);
}

char *bw_strdup(const char *text)
{
    return must_fail() ? NULL : strdup(text);
}

char *bw_strndup(const char *text, size_t len)
{
    return must_fail() ? NULL : strndup(text, len);
}
