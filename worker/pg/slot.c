#include "pg/slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

/* How often one batch is sent when the server surely did nothing of it. */
#define SENDS_MAX 3

struct pg_slot *pg_slot_at(struct pg_link *link, size_t index)
{
    BW_ASSERT(index < PG_LINK_SLOTS);
    return &link->slots[(link->head + index) % PG_LINK_SLOTS];
}

struct pg_slot *pg_slot_push(struct pg_link *link)
{
    struct pg_slot *slot;

    BW_ASSERT(link->count < PG_LINK_SLOTS);
    slot = pg_slot_at(link, link->count++);
    memset(slot, 0, sizeof *slot);
    return slot;
}

bool pg_slot_orphan_leads(const struct pg_link *link)
{
    return link->count > 0 && link->slots[link->head].orphan;
}

static void pop(struct pg_link *link, struct bw_mono now)
{
    struct pg_slot *slot = pg_slot_at(link, 0);

    BW_ASSERT(link->count > 0);
    if (slot->orphan) {
        BW_ASSERT(link->orphans > 0 && slot->batch == NULL);
        link->orphans--;
    }
    free(slot->prepares);
    memset(slot, 0, sizeof *slot);
    link->head = (link->head + 1) % PG_LINK_SLOTS;
    link->count--;
    link->orphan_since = now;
    link->ask_at = now;
    if (link->count == 0)
        link->cancelled = false;
    if (!pg_slot_orphan_leads(link) && link->cancel == PG_CANCEL_WANTED)
        link->cancel = PG_CANCEL_NONE;
}

/* --- how a batch ends */

static void forget_names(struct pg_link *link, const struct pg_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        pg_prepared_remove(&link->prepared, batch->entries[i].statement);
}

static bool may_go_again(const struct pg_link *link, const struct pg_slot *slot)
{
    if (slot->batch->sends >= SENDS_MAX)
        return false;
    return slot->kind == PG_ERROR_UNPREPARED || slot->kind == PG_ERROR_STALE ||
           (slot->kind == PG_ERROR_CANCELLED && link->cancelled);
}

/* An error was answered: nothing of the batch was done. */
static void settle_failed(struct pg_link *link, struct pg_slot *slot)
{
    struct pg_batch *batch = slot->batch;

    BW_ASSERT(slot->failed && !slot->orphan);
    batch->sent = false;
    batch->again = may_go_again(link, slot);
    switch (slot->kind) {
    case PG_ERROR_TRANSIENT:
        batch->outcome = PG_TRANSIENT;
        return;
    case PG_ERROR_CANCELLED:
        batch->outcome = link->cancelled ? PG_TRANSIENT : PG_TIMED_OUT;
        return;
    case PG_ERROR_UNPREPARED:
        forget_names(link, batch);
        batch->outcome = PG_FAILED;
        return;
    case PG_ERROR_STALE:
        link->retired = true;
        batch->outcome = strcmp(batch->sqlstate, "25006") == 0 ? PG_TRANSIENT : PG_FAILED;
        return;
    case PG_ERROR_PERMANENT:
        break;
    }
    batch->outcome = PG_FAILED;
}

void pg_slot_finish(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    struct pg_slot *slot = pg_slot_at(link, 0);
    struct pg_batch *batch = slot->batch;

    if (batch != NULL && slot->failed) {
        settle_failed(link, slot);
    } else if (batch != NULL) {
        batch->outcome = PG_OK;
        batch->sent = true;
    }
    if (batch != NULL)
        pg_queue_add(finished, batch);
    pop(link, now);
}

/* The connection is gone before the slot's answer was complete. */
void pg_slot_drop(struct pg_link *link, struct bw_mono now, struct pg_queue *finished)
{
    struct pg_slot *slot = pg_slot_at(link, 0);

    BW_ASSERT(link->count > 0);
    if (slot->batch != NULL && !slot->failed) {
        bool complete = slot->complete;

        pg_batch_forget(slot->batch);
        pg_batch_settle(slot->batch, PG_TRANSIENT, complete, NULL, link->error);
        pg_queue_add(finished, slot->batch);
        slot->batch = NULL;
    }
    pg_slot_finish(link, now, finished);
}

void pg_slot_orphan(struct pg_link *link, struct pg_slot *slot, struct bw_mono now,
                    struct pg_queue *finished)
{
    struct pg_batch *batch = slot->batch;

    BW_ASSERT(batch != NULL && !slot->orphan);
    slot->batch = NULL;
    slot->orphan = true;
    link->orphans++;
    if (slot == pg_slot_at(link, 0))
        link->orphan_since = link->ask_at = now;
    pg_batch_forget(batch);
    pg_batch_settle(batch, PG_TIMED_OUT, !slot->failed, NULL,
                    "the deadline passed before the answer");
    pg_queue_add(finished, batch);
}
