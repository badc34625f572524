#include "handlers/exec/backlog.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/buf.h>

#include "base/assert.h"

enum { FIRST_ROOM = 16 };

struct ex_note *ex_note_new(const struct ex_event *event)
{
    struct bw_buf line = BW_BUF_INIT;
    struct ex_note *note = NULL;

    if (ex_wire_event(&line, event) == BW_OK)
        note = calloc(1, sizeof *note + line.len);
    if (note != NULL) {
        note->users = 1;
        note->len = line.len;
        memcpy(note->text, line.data, line.len);
    }
    bw_buf_fini(&line);
    return note;
}

void ex_note_unref(struct ex_note *note)
{
    BW_ASSERT(note->users > 0);
    if (--note->users == 0)
        free(note);
}

static size_t size_of(const struct ex_note *note)
{
    return sizeof *note + note->len + sizeof note;
}

/* The ring is copied in its order into one of twice the room. */
static bool make_room(struct ex_backlog *backlog)
{
    size_t room = backlog->room > 0 ? backlog->room * 2 : FIRST_ROOM;
    struct ex_note **notes;

    if (backlog->count < backlog->room)
        return true;
    notes = calloc(room, sizeof *notes);
    if (notes == NULL)
        return false;
    for (size_t i = 0; i < backlog->count; i++)
        notes[i] = backlog->notes[(backlog->first + i) % backlog->room];
    free(backlog->notes);
    backlog->notes = notes;
    backlog->first = 0;
    backlog->room = room;
    return true;
}

size_t ex_backlog_add(struct ex_backlog *backlog, struct ex_note *note)
{
    size_t dropped = 0;

    BW_ASSERT(note->users > 0); /* the caller's */
    while (backlog->count > 0 && backlog->bytes + size_of(note) > EX_BACKLOG_MAX) {
        ex_note_unref(ex_backlog_take(backlog));
        dropped++;
    }
    if (!make_room(backlog))
        return dropped + 1;
    BW_ASSERT(backlog->count < backlog->room);
    note->users++;
    backlog->notes[(backlog->first + backlog->count) % backlog->room] = note;
    backlog->count++;
    backlog->bytes += size_of(note);
    return dropped;
}

struct ex_note *ex_backlog_take(struct ex_backlog *backlog)
{
    struct ex_note *note;

    if (backlog->count == 0)
        return NULL;
    note = backlog->notes[backlog->first];
    backlog->first = (backlog->first + 1) % backlog->room;
    BW_ASSERT(backlog->bytes >= size_of(note));
    backlog->count--;
    backlog->bytes -= size_of(note);
    return note;
}

void ex_backlog_fini(struct ex_backlog *backlog)
{
    struct ex_note *note;

    while ((note = ex_backlog_take(backlog)) != NULL)
        ex_note_unref(note);
    BW_ASSERT(backlog->bytes == 0);
    free(backlog->notes);
    *backlog = (struct ex_backlog){ 0 };
}
