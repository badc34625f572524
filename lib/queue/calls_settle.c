/* lua/settle.lua, settle_grouped.lua, hand_back.lua: end attempts, take jobs, give them
 * back. */
#include "queue/calls.h"

#include <assert.h>

#include "queue/calls_impl.h"
#include "scripts.h"

static void add_keep(struct bw_cmd *cmd, const struct bw_keep *keep)
{
    bw_cmd_int(cmd, keep->set ? keep->count : -1);
    bw_cmd_int(cmd, keep->set ? keep->age : -1);
    bw_cmd_int(cmd, keep->set ? keep->limit : -1);
}

static bool keeps_all(const struct bw_keep *keep)
{
    return !keep->set || (keep->count < 0 && keep->age < 0);
}

static void add_head(struct bw_cmd *cmd, const char *kind,
                     const struct bw_settle_item *item)
{
    bw_cmd_arg(cmd, kind, 1);
    bw_cmd_text(cmd, item->id);
    bw_cmd_text(cmd, item->token);
}

static void add_failure(struct bw_cmd *cmd, const struct bw_settle_item *item)
{
    bw_cmd_flag(cmd, item->has_failure);
    bw_cmd_text(cmd, item->reason);
    bw_cmd_text(cmd, item->stacktrace);
    bw_cmd_text(cmd, item->telemetry);
}

static void add_delay(struct bw_cmd *cmd, const struct bw_settle_item *item,
                      struct bw_wall now)
{
    int64_t delay = item->until_ms != 0 ? item->until_ms - now.ms : item->delay_ms;

    if (item->unstarted)
        bw_cmd_str(cmd, "-");
    else
        bw_cmd_flag(cmd, item->counts_attempt);
    bw_cmd_int(cmd, delay > 0 ? delay : 0);
}

static void add_item(struct bw_cmd *cmd, const struct bw_settle_item *item,
                     struct bw_wall now)
{
    switch (item->kind) {
    case BW_SETTLE_COMPLETED:
        add_head(cmd, keeps_all(&item->keep) ? "c" : "C", item);
        bw_cmd_text(cmd, item->value);
        if (!keeps_all(&item->keep))
            add_keep(cmd, &item->keep);
        break;
    case BW_SETTLE_FAILED:
        add_head(cmd, "F", item);
        bw_cmd_text(cmd, item->value);
        add_failure(cmd, item);
        bw_cmd_int(cmd, item->attempts);
        add_keep(cmd, &item->keep);
        break;
    case BW_SETTLE_RETRY:
        add_head(cmd, "R", item);
        add_failure(cmd, item);
        bw_cmd_flag(cmd, item->lifo);
        break;
    case BW_SETTLE_DELAY:
        add_head(cmd, "D", item);
        add_failure(cmd, item);
        add_delay(cmd, item, now);
        break;
    case BW_SETTLE_PUT_BACK:
        add_head(cmd, "W", item);
        break;
    case BW_SETTLE_HAND_BACK: /* has a script of its own */
        assert(item->kind != BW_SETTLE_HAND_BACK);
        break;
    }
}

void bw_settle_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                     const struct bw_settle_item *items, size_t count,
                     const struct bw_take *take, int64_t metrics_max_data_points)
{
    static const struct bw_take nothing = { .count = 0 };

    if (take == NULL)
        take = &nothing;
    bw_cmd_queue_script(
        cmd, take->groups != NULL ? &bw_script_settle_grouped : &bw_script_settle, keys);
    bw_cmd_int(cmd, now.ms);
    bw_cmd_int(cmd, (int64_t)count);
    bw_cmd_int(cmd, take->count);
    bw_cmd_str(cmd, take->token_prefix);
    bw_cmd_int(cmd, (int64_t)take->first_token);
    bw_cmd_int(cmd, take->lock_duration);
    bw_cmd_int(cmd, take->limiter_max);
    if (take->limiter_max > 0)
        bw_cmd_int(cmd, take->limiter_duration);
    else
        bw_cmd_str(cmd, "");
    bw_cmd_str(cmd, take->worker_name);
    bw_cmd_int(cmd, metrics_max_data_points);
    bw_cmd_int(cmd, take->pause_layout);
    for (size_t i = 0; i < count; i++)
        add_item(cmd, &items[i], now);
    if (take->groups != NULL)
        bw_cmd_groups(cmd, take->groups);
}

void bw_hand_back_build(struct bw_cmd *cmd, const struct bw_keys *keys, int pause_layout,
                        const struct bw_settle_item *items, size_t count)
{
    bw_cmd_queue_script(cmd, &bw_script_hand_back, keys);
    bw_cmd_int(cmd, pause_layout);
    for (size_t i = 0; i < count; i++) {
        bw_cmd_text(cmd, items[i].id);
        bw_cmd_text(cmd, items[i].token);
        bw_cmd_flag(cmd, items[i].unstarted);
    }
}

/* NULL: nothing. */
static const char *said(const struct bw_reply *reply)
{
    size_t len = 0;
    const char *text =
        bw_reply_kind(reply) == BW_REPLY_STRING ? bw_reply_text(reply, &len) : NULL;

    return len > 0 ? text : NULL;
}

int bw_item_code(const struct bw_reply *code, const char **whyp)
{
    bool refused = bw_reply_kind(code) == BW_REPLY_ERROR;

    if (whyp != NULL)
        *whyp = refused ? bw_reply_text(code, NULL) : NULL;
    return refused ? BW_EREDIS : bw_script_code(bw_reply_integer(code));
}

int bw_settle_decode(struct bw_settle_reply *out, const struct bw_reply *reply,
                     size_t item_count, struct bw_error *err)
{
    const struct bw_reply *codes = bw_reply_at(reply, 0), *jobs = bw_reply_at(reply, 1);

    *out = (struct bw_settle_reply){ 0 };
    if (bw_reply_kind(reply) != BW_REPLY_ARRAY || bw_reply_count(reply) != 8 ||
        bw_reply_kind(codes) != BW_REPLY_ARRAY || bw_reply_kind(jobs) != BW_REPLY_ARRAY)
        return bw_error_set(err, BW_EPROTO, "settle: unexpected form of reply");
    if (bw_reply_count(codes) != item_count)
        return bw_error_set(err, BW_EPROTO, "settle: %zu codes for %zu jobs",
                            bw_reply_count(codes), item_count);
    out->codes = codes;
    out->jobs = jobs;
    out->job_count = bw_reply_count(jobs);
    out->limit_ttl_ms = bw_reply_integer(bw_reply_at(reply, 2));
    out->next_due_ms = bw_reply_integer(bw_reply_at(reply, 3));
    out->ghosts = bw_reply_integer(bw_reply_at(reply, 4));
    out->trouble = said(bw_reply_at(reply, 5));
    out->refusal = said(bw_reply_at(reply, 6));
    out->paused = bw_reply_integer(bw_reply_at(reply, 7)) != 0;
    return BW_OK;
}

int bw_settle_code(const struct bw_settle_reply *reply, size_t index, const char **whyp)
{
    return bw_item_code(bw_reply_at(reply->codes, index), whyp);
}
