#include "run/delays.h"

#include <stddef.h>

/* `child` is a node's first child, `next` its next sibling. */
static struct bw_task *meld(struct bw_task *a, struct bw_task *b)
{
    struct bw_task *first, *second;

    if (a == NULL || b == NULL)
        return a != NULL ? a : b;
    first = bw_mono_before(b->due, a->due) ? b : a;
    second = first == a ? b : a;
    second->next = first->child;
    first->child = second;
    return first;
}

void bw_delays_push(struct bw_task **root, struct bw_task *task)
{
    task->child = task->next = NULL;
    *root = meld(*root, task);
}

/* The two passes of a pairing heap, without recursion: pairs first, then all into one. */
static struct bw_task *meld_siblings(struct bw_task *list)
{
    struct bw_task *pairs = NULL, *root = NULL;

    while (list != NULL) {
        struct bw_task *a = list, *b = list->next, *pair;

        list = b != NULL ? b->next : NULL;
        a->next = NULL;
        if (b != NULL)
            b->next = NULL;
        pair = meld(a, b);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs != NULL) {
        struct bw_task *rest = pairs->next;

        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = rest;
    }
    return root;
}

struct bw_task *bw_delays_pop(struct bw_task **root)
{
    struct bw_task *first = *root;

    *root = meld_siblings(first->child);
    first->child = first->next = NULL;
    return first;
}

bool bw_delays_remove(struct bw_task **root, const struct bw_task *task)
{
    struct bw_task *rest = *root;
    bool found = false;

    *root = NULL;
    while (rest != NULL) {
        struct bw_task *node = rest, *child = node->child;

        rest = node->next;
        while (child != NULL) {
            struct bw_task *next = child->next;

            child->next = rest;
            rest = child;
            child = next;
        }
        if (node == task)
            found = true;
        else
            bw_delays_push(root, node);
    }
    return found;
}
