/* Locks, stalled jobs, lost replies: what keeps jobs with the worker that runs them. */
#include "queue/calls.h"

#include "queue/calls_impl.h"
#include "scripts.h"

void bw_extend_locks_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                           int64_t lock_duration, const struct bw_text *ids,
                           const struct bw_text *tokens, size_t count)
{
    bw_cmd_script(cmd, &bw_script_extend_locks, 2);
    bw_cmd_key(cmd, keys, BW_KEY_BASE);
    bw_cmd_key(cmd, keys, BW_KEY_STALLED);
    bw_cmd_int(cmd, lock_duration);
    for (size_t i = 0; i < count; i++) {
        bw_cmd_text(cmd, ids[i]);
        bw_cmd_text(cmd, tokens[i]);
    }
}

void bw_check_stalled_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                            struct bw_wall now, int64_t stalled_interval,
                            int64_t max_stalled_count, int pause_layout)
{
    bw_cmd_queue_script(cmd, &bw_script_check_stalled, keys);
    bw_cmd_int(cmd, now.ms);
    bw_cmd_int(cmd, stalled_interval);
    bw_cmd_int(cmd, max_stalled_count);
    bw_cmd_int(cmd, pause_layout);
}

void bw_adopt_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                    const char *token_prefix, int64_t lock_duration,
                    const struct bw_text *known, size_t count)
{
    (void)now; /* nothing is dated: the jobs were started when they were taken */
    bw_cmd_script(cmd, &bw_script_adopt, 3);
    bw_cmd_key(cmd, keys, BW_KEY_BASE);
    bw_cmd_key(cmd, keys, BW_KEY_ACTIVE);
    bw_cmd_key(cmd, keys, BW_KEY_STALLED);
    bw_cmd_str(cmd, token_prefix);
    bw_cmd_int(cmd, lock_duration);
    for (size_t i = 0; i < count; i++)
        bw_cmd_text(cmd, known[i]);
}
