/* Events that a program has not been told yet: a bounded queue of whole lines. When it is
 * full the oldest go: a program that is busy, or not ready yet, costs bounded memory.
 *
 * The lines are shared by the programs of a pool. One thread; a note that no backlog has
 * may be handed to another. */
#ifndef WORKER_HANDLERS_EXEC_BACKLOG_H
#define WORKER_HANDLERS_EXEC_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/error.h>

#include "handlers/exec/wire.h"

enum ex_note_state { EX_NOTE_PLAIN, EX_NOTE_PAUSED, EX_NOTE_RESUMED };

struct ex_note {
    unsigned users;
    enum ex_note_state state; /* what a program knows of the queue once it was told */
    size_t len;
    char text[]; /* a line with its end */
};

/* New: one user, ended by ex_note_unref(). NULL: out of memory. */
struct ex_note *ex_note_new(const struct ex_event *event);
void ex_note_unref(struct ex_note *note);

/* Bytes that a backlog may hold, what it needs for each note included. */
#define EX_BACKLOG_MAX ((size_t)1 << 20)

struct ex_backlog {         /* zeroed: empty */
    struct ex_note **notes; /* a ring of `room` */
    size_t first, count, room, bytes;
};

/* Adds a user to the note. Returns how many of the oldest had to go; without memory the
 * new one goes, and counts. The newest stays, however long it is. */
size_t ex_backlog_add(struct ex_backlog *backlog, struct ex_note *note);
/* The oldest, for the caller to end; NULL: there is none. */
struct ex_note *ex_backlog_take(struct ex_backlog *backlog);
void ex_backlog_fini(struct ex_backlog *backlog);

#endif
