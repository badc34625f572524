#include "jobs/effects.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/job.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "codec/json_check.h"
#include "redis/refusal.h"
#include "jobs/job.h"
#include "jobs/lane.h"
#include "jobs/lanes.h"

enum effect_kind { EFFECT_PROGRESS, EFFECT_LOG, EFFECT_DATA };

struct effect {
    struct bw_letter letter;
    struct bw_list node;
    enum effect_kind kind;
    /* Until it is delivered: a job's answer comes after its effects. */
    struct bw_job *job;
    struct bw_lane *lane;
    struct bw_cmd cmd;
    size_t len;
    char text[];
};

static void deliver(struct bw_letter *letter, bool open);
static void on_effect(const struct bw_reply *reply, const struct bw_error *err,
                      void *arg);

void bw_effects_init(struct bw_effects *effects, struct bw_caller *caller)
{
    effects->caller = caller;
    bw_list_init(&effects->sent);
    bw_list_init(&effects->lost);
    bw_list_init(&effects->unsent);
}

/* --- a handler asks: any thread */

static struct effect *effect_create(struct bw_job *job, enum effect_kind kind,
                                    const char *text, size_t len)
{
    struct effect *effect;

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

static void effect_free(struct effect *effect)
{
    bw_cmd_fini(&effect->cmd);
    free(effect);
}

static int send_effect(struct bw_job *job, enum effect_kind kind, const char *text,
                       size_t len)
{
    struct effect *effect;

    BW_ASSERT(job->magic == BW_JOB_MAGIC);
    effect = effect_create(job, kind, text, len);
    if (effect == NULL)
        return BW_ENOMEM;
    bw_letterbox_send(&job->lane->lanes->letters, &effect->letter);
    return BW_OK;
}

int bw_job_update_progress(struct bw_job *job, const char *json, size_t len)
{
    if (json == NULL || !bw_json_check(json, len))
        return BW_EINVAL;
    return send_effect(job, EFFECT_PROGRESS, json, len);
}

int bw_job_add_log(struct bw_job *job, const char *row, size_t len)
{
    if (row == NULL)
        return BW_EINVAL;
    return send_effect(job, EFFECT_LOG, row, len);
}

int bw_job_update_data(struct bw_job *job, const char *json, size_t len)
{
    if (json == NULL || !bw_json_check(json, len))
        return BW_EINVAL;
    return send_effect(job, EFFECT_DATA, json, len);
}

/* --- it arrives on the reactor */

static void build(struct effect *effect)
{
    const struct bw_job *job = effect->job;
    const struct bw_keys *keys = &effect->lane->keys;
    struct bw_text text = { effect->text, effect->len };

    switch (effect->kind) {
    case EFFECT_PROGRESS:
        bw_update_progress_build(&effect->cmd, keys, job->data.id, text);
        break;
    case EFFECT_LOG:
        bw_add_log_build(&effect->cmd, keys, job->data.id, text,
                         job->data.parsed.keep_logs);
        break;
    case EFFECT_DATA:
        bw_update_data_build(&effect->cmd, keys, job->data.id, text);
        break;
    }
}

static void deliver(struct bw_letter *letter, bool open)
{
    struct effect *effect = BW_LIST_OF(letter, struct effect, letter);
    struct bw_effects *effects = &effect->lane->lanes->effects;

    BW_ASSERT(effect->job->magic == BW_JOB_MAGIC);
    /* A job that was handed back is not ours to write to any more. */
    if (!open || atomic_load(&effect->job->given_up)) {
        effect_free(effect);
        return;
    }
    build(effect);
    effect->job = NULL;
    bw_list_append(&effects->unsent, &effect->node);
    /* At once, not at the turn's end: the job's answer may be the next letter. */
    bw_effects_flush(effects);
}

/* --- it is sent */

/* False when the rest has to wait. What belongs to a lane that waits for Redis to take
 * calls again is passed over: all of it, so that it keeps its order. */
static bool send_list(struct bw_effects *effects, struct bw_list *list)
{
    struct bw_list *next;

    for (struct bw_list *at = list->next; at != list; at = next) {
        struct effect *effect = BW_LIST_OF(at, struct effect, node);

        BW_ASSERT(effect->job == NULL);
        next = at->next;
        if (bw_lane_in_pause(effect->lane))
            continue;
        /* Not connected after all, or out of memory: tried again at the end of the turn.
         */
        if (bw_caller_call(effects->caller, &effect->cmd, on_effect, effect) != BW_OK)
            return false;
        bw_list_remove(&effect->node);
        bw_list_append(&effects->sent, &effect->node);
    }
    return true;
}

void bw_effects_flush(struct bw_effects *effects)
{
    if (bw_caller_can_call(effects->caller) && send_list(effects, &effects->lost))
        (void)send_list(effects, &effects->unsent); /* the rest waits */
}

bool bw_effects_pending(const struct bw_effects *effects)
{
    return !bw_list_is_empty(&effects->sent) || !bw_list_is_empty(&effects->lost) ||
           !bw_list_is_empty(&effects->unsent);
}

/* --- Redis answers */

static void on_effect(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct effect *effect = arg;
    struct bw_lane *lane = effect->lane;
    bool passing = err != NULL && err->code == BW_EREDIS && bw_refusal_passes(err->text);

    if (passing || (err != NULL && err->code != BW_EREDIS && err->code != BW_ENOMEM)) {
        bw_list_remove(&effect->node);
        bw_list_append(&lane->lanes->effects.lost, &effect->node);
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

/* --- the end */

static void free_list(struct bw_list *list)
{
    struct bw_list *node;

    while ((node = bw_list_shift(list)) != NULL)
        effect_free(BW_LIST_OF(node, struct effect, node));
}

void bw_effects_fini(struct bw_effects *effects)
{
    BW_ASSERT(bw_list_is_empty(&effects->sent)); /* a lost link calls all back */
    free_list(&effects->lost);
    free_list(&effects->unsent);
}
