#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* 0: never; else the count-down to the failure, which happens at 1. */
static _Thread_local size_t countdown;

/* Larger sizes are mistakes in arithmetic; no object may exceed PTRDIFF_MAX anyhow. */
static bool fails_now(size_t size)
{
    return size > PTRDIFF_MAX || (countdown != 0 && --countdown == 0);
}

void bw_alloc_fail_at(size_t nth)
{
    countdown = nth + 1;
}

void bw_alloc_fail_never(void)
{
    countdown = 0;
}

void *bw_alloc(size_t size)
{
    return fails_now(size) ? NULL : malloc(size != 0 ? size : 1);
}

void *bw_calloc(size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total) || fails_now(total))
        return NULL;
    return calloc(1, total != 0 ? total : 1);
}

void *bw_realloc(void *old, size_t size)
{
    return fails_now(size) ? NULL : realloc(old, size != 0 ? size : 1);
}

char *bw_strdup(const char *text)
{
    return bw_memdup(text, strlen(text));
}

char *bw_memdup(const void *data, size_t len)
{
    char *copy = len < SIZE_MAX ? bw_alloc(len + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (len != 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}
