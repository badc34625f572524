#include "queue/calls_schedulers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "queue/calls_impl.h"
#include "scripts.h"

/* Milliseconds that may have a fraction. */
static void add_ms(struct bw_cmd *cmd, double ms)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%.14g", ms);
    bw_cmd_str(cmd, text);
}

static void add_optional(struct bw_cmd *cmd, bool present, int64_t number)
{
    if (present)
        bw_cmd_int(cmd, number);
    else
        bw_cmd_str(cmd, "");
}

static void add_every(struct bw_cmd *cmd, const struct bw_iteration *iteration)
{
    if (iteration->has_every)
        add_ms(cmd, iteration->every);
    else
        bw_cmd_str(cmd, "");
}

static const char *push_of(const struct bw_iteration *iteration)
{
    return iteration->lifo ? "RPUSH" : "LPUSH";
}

/* --- upsert */

static void add_field(struct bw_cmd *cmd, const char *name, const char *value, size_t len)
{
    bw_cmd_str(cmd, name);
    bw_cmd_arg(cmd, value, len);
}

static void add_number_field(struct bw_cmd *cmd, const char *name, int64_t number)
{
    if (number == 0)
        return;
    bw_cmd_str(cmd, name);
    bw_cmd_int(cmd, number);
}

static bool has_data(const struct bw_scheduler *scheduler)
{
    return scheduler->data != NULL &&
           (scheduler->data_len != 2 || memcmp(scheduler->data, "{}", 2) != 0);
}

static void add_hash(struct bw_cmd *cmd, const struct bw_scheduler *scheduler,
                     const char *name, const char *template_opts)
{
    add_field(cmd, "name", name, strlen(name));
    if (scheduler->pattern != NULL)
        add_field(cmd, "pattern", scheduler->pattern, strlen(scheduler->pattern));
    if (scheduler->tz != NULL)
        add_field(cmd, "tz", scheduler->tz, strlen(scheduler->tz));
    add_number_field(cmd, "every", scheduler->every);
    add_number_field(cmd, "limit", scheduler->limit);
    add_number_field(cmd, "startDate", scheduler->start_date);
    add_number_field(cmd, "endDate", scheduler->end_date);
    if (template_opts != NULL)
        add_field(cmd, "opts", template_opts, strlen(template_opts));
    if (has_data(scheduler))
        add_field(cmd, "data", scheduler->data, scheduler->data_len);
}

void bw_upsert_scheduler_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                               struct bw_wall now, const struct bw_scheduler *scheduler,
                               const struct bw_iteration *iteration)
{
    const char *name = scheduler->name != NULL ? scheduler->name : scheduler->id;

    bw_cmd_queue_script(cmd, &bw_script_upsert_scheduler, keys);
    bw_cmd_int(cmd, now.ms);
    bw_cmd_str(cmd, scheduler->id);
    add_every(cmd, iteration);
    add_optional(cmd, iteration->has_next, iteration->next);
    bw_cmd_int(cmd, scheduler->offset);
    add_optional(cmd, scheduler->start_date != 0, scheduler->start_date);
    bw_cmd_str(cmd, name);
    if (scheduler->data != NULL)
        bw_cmd_arg(cmd, scheduler->data, scheduler->data_len);
    else
        bw_cmd_str(cmd, "{}");
    bw_cmd_str(cmd, iteration->opts);
    bw_cmd_str(cmd, iteration->quoted_sid);
    bw_cmd_int(cmd, iteration->priority);
    bw_cmd_str(cmd, push_of(iteration));
    bw_cmd_flag(cmd, scheduler->strict);
    add_hash(cmd, scheduler, name, iteration->template_opts);
}

/* --- next iteration */

void bw_next_iteration_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                             struct bw_wall now, bool strict)
{
    bw_cmd_queue_script(cmd, &bw_script_next_iteration, keys);
    bw_cmd_int(cmd, now.ms);
    bw_cmd_flag(cmd, strict);
}

void bw_next_iteration_add(struct bw_cmd *cmd, const struct bw_job_data *job,
                           const struct bw_iteration *iteration)
{
    bool legacy =
        iteration->legacy_prefix != NULL && (iteration->has_every || iteration->has_next);

    bw_cmd_text(cmd, job->id);
    bw_cmd_text(cmd, job->repeat_key);
    add_every(cmd, iteration);
    add_optional(cmd, iteration->has_next, iteration->next);
    add_ms(cmd, iteration->offset);
    if (job->data.data != NULL)
        bw_cmd_text(cmd, job->data);
    else
        bw_cmd_str(cmd, "{}");
    bw_cmd_str(cmd, iteration->opts);
    bw_cmd_str(cmd, iteration->quoted_sid);
    bw_cmd_int(cmd, iteration->priority);
    bw_cmd_str(cmd, push_of(iteration));
    add_optional(cmd, legacy, iteration->legacy_next);
    bw_cmd_str(cmd, legacy ? iteration->legacy_prefix : "");
}

/* --- the others */

void bw_remove_scheduler_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                               const char *id)
{
    bw_cmd_queue_script(cmd, &bw_script_remove_scheduler, keys);
    bw_cmd_str(cmd, id);
}

void bw_read_schedulers_build(struct bw_cmd *cmd, const struct bw_keys *keys,
                              const char *id, int64_t first, int64_t last,
                              bool latest_first)
{
    bw_cmd_queue_script(cmd, &bw_script_read_schedulers, keys);
    bw_cmd_str(cmd, id);
    bw_cmd_int(cmd, first);
    bw_cmd_int(cmd, last);
    bw_cmd_flag(cmd, latest_first);
}
