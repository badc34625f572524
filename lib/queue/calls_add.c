/* The producer's and the administrator's scripts. lib/spec/bullmq.md §§3, 7.3 */
#include "queue/calls.h"

#include <string.h>

#include "queue/calls_impl.h"
#include "scripts.h"

/* §3.1 */
static const char *choose_path(const struct bw_add_options *options)
{
    if (options->has_children)
        return "parent";
    if (options->delay > 0)
        return "delayed";
    return options->priority != 0 ? "prioritized" : "standard";
}

/* What lua/includes/insert.lua reads of a job. */
static void add_job(struct bw_cmd *cmd, const struct bw_add *add,
                    const struct bw_add_options *options)
{
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
}

static void add_line(struct bw_cmd *cmd, const struct bw_add *add)
{
    bw_cmd_str(cmd, add->line == 5 ? "5" : "6");
}

void bw_add_build(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                  const struct bw_add *add, const struct bw_add_options *options)
{
    bw_cmd_queue_script(cmd, &bw_script_add, keys);
    bw_cmd_int(cmd, now.ms);
    add_line(cmd, add);
    add_job(cmd, add, options);
}

void bw_add_many_begin(struct bw_cmd *cmd, const struct bw_keys *keys, struct bw_wall now,
                       const struct bw_add *first)
{
    bw_cmd_queue_script(cmd, &bw_script_add_many, keys);
    bw_cmd_int(cmd, now.ms);
    add_line(cmd, first);
}

void bw_add_many_append(struct bw_cmd *cmd, const struct bw_add *add,
                        const struct bw_add_options *options)
{
    add_job(cmd, add, options);
}

void bw_add_flow_build(struct bw_cmd *cmd, struct bw_wall now,
                       const struct bw_flow_item *items, size_t count)
{
    bw_cmd_queue_script(cmd, &bw_script_add_flow, &items[0].keys);
    bw_cmd_int(cmd, now.ms);
    add_line(cmd, items[0].add);
    bw_cmd_int(cmd, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        bw_cmd_key(cmd, &items[i].keys, BW_KEY_BASE);
        add_job(cmd, items[i].add, &items[i].options);
    }
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
