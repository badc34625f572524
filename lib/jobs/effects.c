#include "jobs/effects.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/list.h"
#include "redis/refusal.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "run/reactor.h"

static void effect_free(struct bw_effect *effect)
{
    bw_cmd_fini(&effect->cmd);
    free(effect);
}

static void build(struct bw_effect *effect)
{
    const struct bw_job *job = effect->job;
    const struct bw_keys *keys = &effect->lane->keys;
    struct bw_text text = { effect->text, effect->len };

    switch (effect->kind) {
    case BW_EFFECT_PROGRESS:
        bw_update_progress_build(&effect->cmd, keys, job->data.id, text);
        break;
    case BW_EFFECT_LOG:
        bw_add_log_build(&effect->cmd, keys, job->data.id, text,
                         job->data.parsed.keep_logs);
        break;
    case BW_EFFECT_DATA:
        bw_update_data_build(&effect->cmd, keys, job->data.id, text);
        break;
    }
}

static void deliver(struct bw_letter *letter, bool open)
{
    struct bw_effect *effect = BW_LIST_OF(letter, struct bw_effect, letter);
    struct bw_reactor *reactor = effect->lane->reactor;

    /* A job that was handed back is not ours to write to any more. */
    if (!open || atomic_load(&effect->job->given_up)) {
        effect_free(effect);
        return;
    }
    build(effect);
    effect->job = NULL;
    bw_list_append(&reactor->effects.unsent, &effect->node);
    /* At once, not at the turn's end: the job's answer may be the next letter. */
    bw_effects_flush(reactor);
}

struct bw_effect *bw_effect_create(struct bw_job *job, enum bw_effect_kind kind,
                                   const char *text, size_t len)
{
    struct bw_effect *effect;

    if (len > SIZE_MAX - sizeof *effect - 1)
        return NULL;
    effect = bw_calloc(1, sizeof *effect + len + 1);
    if (effect == NULL)
        return NULL;
    effect->letter.deliver = deliver;
    bw_list_init(&effect->node);
    effect->kind = kind;
    effect->job = job;
    effect->lane = job->lane;
    effect->len = len;
    if (len > 0)
        memcpy(effect->text, text, len);
    return effect;
}

static void on_effect(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_effect *effect = arg;
    struct bw_lane *lane = effect->lane;

    bool passing = err != NULL && err->code == BW_EREDIS && bw_refusal_passes(err->text);

    if (passing || (err != NULL && err->code != BW_EREDIS && err->code != BW_ENOMEM)) {
        bw_list_remove(&effect->node);
        bw_list_append(&lane->reactor->effects.lost, &effect->node);
        if (passing) /* sent again after the pause, before the ends of jobs */
            bw_lane_refused(lane, "side effect", err);
        return;
    }
    if (err != NULL)
        bw_log(&lane->log, BW_LOG_WARNING, "side effect of a job failed",
               bw_text("error", err->text));
    else if (bw_reply_integer(reply) < 0)
        bw_log(&lane->log, BW_LOG_WARNING,
               "side effect of a job failed: the job is gone");
    bw_list_remove(&effect->node);
    effect_free(effect);
}

void bw_effects_init(struct bw_effects *effects)
{
    bw_list_init(&effects->sent);
    bw_list_init(&effects->lost);
    bw_list_init(&effects->unsent);
}

/* False when the rest has to wait. What belongs to a queue that waits for Redis to take
 * calls again is passed over: all of it, so that it keeps its order. */
static bool send_list(struct bw_reactor *reactor, struct bw_list *list)
{
    struct bw_list *next;

    for (struct bw_list *at = list->next; at != list; at = next) {
        struct bw_effect *effect = BW_LIST_OF(at, struct bw_effect, node);

        next = at->next;
        if (bw_lane_in_pause(effect->lane))
            continue;
        /* Not connected after all, or out of memory: tried again at the end of the turn.
         */
        if (bw_reactor_call(reactor, &effect->cmd, on_effect, effect) != BW_OK)
            return false;
        bw_list_remove(&effect->node);
        bw_list_append(&reactor->effects.sent, &effect->node);
    }
    return true;
}

void bw_effects_flush(struct bw_reactor *reactor)
{
    if (bw_reactor_can_call(reactor) && send_list(reactor, &reactor->effects.lost))
        (void)send_list(reactor, &reactor->effects.unsent); /* the rest waits */
}

bool bw_effects_pending(const struct bw_reactor *reactor)
{
    const struct bw_effects *effects = &reactor->effects;

    return !bw_list_is_empty(&effects->sent) || !bw_list_is_empty(&effects->lost) ||
           !bw_list_is_empty(&effects->unsent);
}

static void free_list(struct bw_list *list)
{
    struct bw_list *node;

    while ((node = bw_list_shift(list)) != NULL)
        effect_free(BW_LIST_OF(node, struct bw_effect, node));
}

void bw_effects_fini(struct bw_reactor *reactor)
{
    free_list(&reactor->effects.sent);
    free_list(&reactor->effects.lost);
    free_list(&reactor->effects.unsent);
}
