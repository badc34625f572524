#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* 0: never; else the count-down to the failure, which happens at 1. */
static _Thread_local size_t countdown;

static bool fails_now(void)
{
    return countdown != 0 && --countdown == 0;
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
    return fails_now() ? NULL : malloc(size != 0 ? size : 1);
}

void *bw_calloc(size_t count, size_t size)
{
    if (fails_now())
        return NULL;
    return count != 0 && size != 0 ? calloc(count, size) : calloc(1, 1);
}

void *bw_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : realloc(old, size != 0 ? size : 1);
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
