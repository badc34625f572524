/* From a member to the struct that contains it. */
#ifndef BW_RUN_CONTAINER_H
#define BW_RUN_CONTAINER_H

#include <stddef.h>

#define BW_CONTAINER(pointer, type, member)                                              \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
