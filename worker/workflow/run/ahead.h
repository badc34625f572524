/* A read of the database that is certain to come next, sent along with the look-up. */
#ifndef WORKFLOW_AHEAD_H
#define WORKFLOW_AHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "workflow/store/store.h"
#include "workflow/run/step.h"

struct wf_node;

struct wf_ahead {
    /* the result: JSON, or NULL for none */
    json_t *value;
    /* what was asked; NULL: nothing */
    char *key;
    /* for whom */
    const struct wf_node *node;
    /* place in the batch; 0: none */
    size_t at;
};

/* Into the batch that looks the event up; `waits_at`: the node of the wait it claims, or
 * NULL. */
void wf_ahead_add(struct wf_run *run, const char *waits_at);
/* Out of that batch. */
void wf_ahead_keep(struct wf_run *run);
/* For the node. True: the answer is there (NULL: no row, or null; new reference). */
bool wf_ahead_take_list(struct wf_run *run, json_t **value, enum wf_sql sql,
                        const char *const *params, size_t count);
#define wf_ahead_take(run, value, sql, ...)                                              \
    wf_ahead_take_list((run), (value), (sql), (const char *const[]){ __VA_ARGS__ },      \
                       sizeof((const char *const[]){ __VA_ARGS__ }) /                    \
                           sizeof(const char *))
/* The run begins with that node. */
void wf_ahead_start(struct wf_run *run, const struct wf_node *node);
/* It may have become wrong. */
void wf_ahead_drop(struct wf_run *run);
/* New text: how many rows get_transactions gives, for who asks ahead and for the node. */
char *wf_ahead_limit(const json_t *value);

/* Ends what it holds; all of it is empty afterwards. */
static inline void wf_ahead_fini(struct wf_ahead *ahead)
{
    json_decref(ahead->value);
    free(ahead->key);
    *ahead = (struct wf_ahead){ 0 };
}

#endif
