/* The producer's and the administrator's scripts. §§3, 7.3 */
#include "queue/calls.h"

#include <string.h>

#include "queue/calls_impl.h"
#include "scripts.h"

/* §3.1 */
static const char *choose_path(const struct bw_add_options *options)
{
    if (options->delay > 0)
        return "delayed";
    return options->priority != 0 ? "prioritized" : "standard";
}

void bw_add_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                  const struct bw_add *add, const struct bw_add_options *options)
{
    bw_cmd_queue_script(cmd, &bw_script_add, keys);
    bw_cmd_str(cmd, choose_path(options));
    bw_cmd_str(cmd, options->job_id);
    bw_cmd_str(cmd, add->name);
    if (add->data != NULL)
        bw_cmd_arg(cmd, add->data, add->data_len);
    else
        bw_cmd_str(cmd, "{}");
    bw_cmd_str(cmd, options->stored);
    bw_cmd_int(cmd, options->timestamp);
    bw_cmd_int(cmd, options->delay);
    bw_cmd_int(cmd, options->priority);
    bw_cmd_str(cmd, options->lifo ? "RPUSH" : "LPUSH");
    bw_cmd_str(cmd, options->parent_key);
    bw_cmd_str(cmd, options->parent);
    bw_cmd_str(cmd, ""); /* no scheduler */
    bw_cmd_str(cmd, options->dedup_id);
    bw_cmd_int(cmd, options->dedup_ttl);
    bw_cmd_str(cmd, options->dedup_modes);
    bw_cmd_flag(cmd, false); /* no flow */
    bw_cmd_int(cmd, now.ms);
}

void bw_pause_build(struct bw_cmd *cmd, const struct bw_keys *keys)
{
    bw_cmd_queue_script(cmd, &bw_script_pause, keys);
}

void bw_resume_build(struct bw_cmd *cmd, const struct bw_keys *keys, bool tell)
{
    bw_cmd_queue_script(cmd, &bw_script_resume, keys);
    bw_cmd_flag(cmd, tell);
}
