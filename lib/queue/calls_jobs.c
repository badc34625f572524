/* Small calls about one job or one key of the queue. lib/spec/bullmq.md §§7.1, 10.3 */
#include "queue/calls.h"

#include "queue/calls_impl.h"
#include "scripts.h"

/* What a manual limit counts as: more than any limiter's max (§10.3). */
#define LIMIT_REACHED "9007199254740991"

static void start_job_script(struct bw_cmd *cmd, const struct bw_script *script,
                             const struct bw_keys *keys, struct bw_text id)
{
    bw_cmd_queue_script(cmd, script, keys);
    bw_cmd_text(cmd, id);
}

void bw_rate_limit_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                         int64_t duration_ms)
{
    bw_cmd_str(cmd, "SET");
    bw_cmd_key(cmd, keys, BW_KEY_LIMITER);
    bw_cmd_str(cmd, LIMIT_REACHED);
    bw_cmd_str(cmd, "PX");
    bw_cmd_int(cmd, duration_ms > 0 ? duration_ms : 1); /* Redis refuses 0 */
}

void bw_marker_return_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                            struct bw_text member)
{
    bw_cmd_queue_script(cmd, &bw_script_return_marker, keys);
    bw_cmd_text(cmd, member);
}

void bw_update_progress_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                              struct bw_text id, struct bw_text json)
{
    start_job_script(cmd, &bw_script_update_progress, keys, id);
    bw_cmd_text(cmd, json);
}

void bw_add_log_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id,
                      struct bw_text row, int64_t keep)
{
    start_job_script(cmd, &bw_script_add_log, keys, id);
    bw_cmd_text(cmd, row);
    bw_cmd_int(cmd, keep);
}

void bw_update_data_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                          struct bw_text id, struct bw_text json)
{
    start_job_script(cmd, &bw_script_update_data, keys, id);
    bw_cmd_text(cmd, json);
}

void bw_move_to_waiting_children_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                                       struct bw_wall now, struct bw_text id,
                                       struct bw_text token, struct bw_text child,
                                       bool unsure)
{
    start_job_script(cmd, &bw_script_move_to_waiting_children, keys, id);
    bw_cmd_text(cmd, token);
    bw_cmd_text(cmd, child);
    bw_cmd_int(cmd, now.ms);
    bw_cmd_flag(cmd, unsure);
}

void bw_dependencies_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                           struct bw_text id, bool all)
{
    bw_cmd_queue_script(cmd, &bw_script_dependencies, keys);
    bw_cmd_text(cmd, id);
    bw_cmd_str(cmd, all ? "all" : "counts");
}

void bw_get_flow_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                       const struct bw_flow_query *query)
{
    bw_cmd_queue_script(cmd, &bw_script_get_flow, keys);
    bw_cmd_str(cmd, query->id);
    bw_cmd_int(cmd, query->depth > 0 ? query->depth : 10);
    bw_cmd_int(cmd, query->max_children > 0 ? query->max_children : 20);
}

void bw_job_state_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_text id)
{
    bw_cmd_queue_script(cmd, &bw_script_job_state, keys);
    bw_cmd_text(cmd, id);
}

void bw_drop_ghost_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                         struct bw_text id)
{
    bw_cmd_script(cmd, &bw_script_drop_ghost, 3);
    bw_cmd_key(cmd, keys, BW_KEY_BASE);
    bw_cmd_key(cmd, keys, BW_KEY_ACTIVE);
    bw_cmd_key(cmd, keys, BW_KEY_STALLED);
    bw_cmd_text(cmd, id);
}
