/* An intrusive, doubly linked ring: the node lies in the object, the head is a node too.
 *
 * Storage and threads are the owner's. A node is in one list at a time; a node of its own
 * (init) is in none, and taking it out again is harmless. */
#ifndef BW_BASE_LIST_H
#define BW_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct bw_list {
    struct bw_list *next, *prev;
};

#define BW_LIST_INIT(head)                                                               \
    {                                                                                    \
        &(head), &(head)                                                                 \
    }

/* The object around a node. */
#define BW_LIST_OF(node, type, member)                                                   \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void bw_list_init(struct bw_list *list)
{
    list->next = list->prev = list;
}

static inline bool bw_list_is_empty(const struct bw_list *list)
{
    return list->next == list;
}

/* Right behind `before`, a node of a list or its head. `node` must be in no list. */
static inline void bw_list_insert_after(struct bw_list *before, struct bw_list *node)
{
    node->prev = before;
    node->next = before->next;
    before->next->prev = node;
    before->next = node;
}

/* At the end. `node` must be in no list. */
static inline void bw_list_append(struct bw_list *list, struct bw_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void bw_list_remove(struct bw_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    bw_list_init(node);
}

/* The first node, taken out; NULL when there is none. */
static inline struct bw_list *bw_list_shift(struct bw_list *list)
{
    struct bw_list *node = list->next;

    if (node == list)
        return NULL;
    bw_list_remove(node);
    return node;
}

/* Moves all nodes of `from` behind those of `list`. */
static inline void bw_list_splice(struct bw_list *list, struct bw_list *from)
{
    if (bw_list_is_empty(from))
        return;
    from->next->prev = list->prev;
    from->prev->next = list;
    list->prev->next = from->next;
    list->prev = from->prev;
    bw_list_init(from);
}

#endif
