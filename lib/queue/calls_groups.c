/* Ordered groups: their settings, and the check of their books. */
#include "queue/calls.h"

#include "queue/calls_impl.h"
#include "scripts.h"

void bw_cmd_groups(struct bw_cmd *cmd, const struct bw_groups *groups)
{
    bw_cmd_int(cmd, groups->concurrency);
    bw_cmd_int(cmd, groups->rate_max);
    bw_cmd_int(cmd, groups->rate_duration);
    bw_cmd_flag(cmd, groups->strict);
    bw_cmd_str(cmd, groups->key != NULL ? groups->key : "");
}

void bw_check_groups_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                           struct bw_wall now, int64_t interval, int pause_layout,
                           const struct bw_groups *groups, const struct bw_text *ended,
                           size_t count)
{
    bw_cmd_queue_script(cmd, &bw_script_check_groups, keys);
    bw_cmd_int(cmd, now.ms);
    bw_cmd_int(cmd, interval);
    bw_cmd_int(cmd, pause_layout);
    bw_cmd_int(cmd, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        bw_cmd_text(cmd, ended[i]);
    bw_cmd_groups(cmd, groups);
}
