#include "telegram/pauses.h"

#include <assert.h>
#include <stdlib.h>

#include "telegram/call.h"

static void put(struct tg_pauses *pauses, size_t place, struct tg_call *call)
{
    pauses->calls[place] = call;
    call->place = place;
}

static void rise(struct tg_pauses *pauses, struct tg_call *call)
{
    size_t place = call->place;

    while (place > 0) {
        struct tg_call *parent = pauses->calls[(place - 1) / 2];

        if (!bw_mono_before(call->due, parent->due))
            break;
        put(pauses, place, parent);
        place = (place - 1) / 2;
    }
    put(pauses, place, call);
}

static void sink(struct tg_pauses *pauses, struct tg_call *call)
{
    size_t place = call->place;

    for (;;) {
        size_t child = place * 2 + 1;

        if (child + 1 < pauses->count &&
            bw_mono_before(pauses->calls[child + 1]->due, pauses->calls[child]->due))
            child++;
        if (child >= pauses->count ||
            !bw_mono_before(pauses->calls[child]->due, call->due))
            break;
        put(pauses, place, pauses->calls[child]);
        place = child;
    }
    put(pauses, place, call);
}

int tg_pauses_add(struct tg_pauses *pauses, struct tg_call *call)
{
    if (pauses->count == pauses->cap) {
        size_t cap = pauses->cap > 0 ? pauses->cap * 2 : 32;
        struct tg_call **calls =
            reallocarray(pauses->calls, cap, sizeof(struct tg_call *));

        if (calls == NULL)
            return BW_ENOMEM;
        pauses->calls = calls;
        pauses->cap = cap;
    }
    put(pauses, pauses->count++, call);
    rise(pauses, call);
    return BW_OK;
}

struct tg_call *tg_pauses_first(const struct tg_pauses *pauses)
{
    return pauses->count > 0 ? pauses->calls[0] : NULL;
}

void tg_pauses_remove(struct tg_pauses *pauses, struct tg_call *call)
{
    struct tg_call *last = pauses->calls[--pauses->count];

    assert(pauses->calls[call->place] == call || last == call);
    if (last == call)
        return;
    put(pauses, call->place, last);
    sink(pauses, last);
    rise(pauses, last);
}

void tg_pauses_fini(struct tg_pauses *pauses)
{
    free(pauses->calls);
    *pauses = (struct tg_pauses){ 0 };
}
