/* What a schedule trigger asks for: when, whom, and how often each of them at most.
 * worker/workflow/spec/workflow.md §11.2, §11.3. Pure; any thread. */
#ifndef WORKFLOW_SCHEDULE_H
#define WORKFLOW_SCHEDULE_H

#include <jansson.h>

#include <bulwark/error.h>

#include "workflow/language/minute_cron.h"

enum wf_window {
    WF_WINDOW_YEAR,
    WF_WINDOW_MONTH,
    WF_WINDOW_WEEK,
    WF_WINDOW_DAY,
    WF_WINDOW_NONE
};

struct wf_schedule {
    struct wf_cron cron;
    const char *timezone; /* borrowed from the config, or static; not looked up */
    bool birthdays;       /* false: all active customers */
    int days;             /* the birthday is so many days from today; may be negative */
    enum wf_window window;
};

#define WF_BUCKET_SIZE 40

/* `config` is the trigger's, and outlives the schedule. BW_EINVAL says what is wrong. */
BW_MUSTCHECK int wf_schedule_read(struct wf_schedule *schedule, const json_t *config,
                                  struct bw_error *err);
/* The ledger's label of the time (s since the epoch) within which a customer is served
 * once; UTC. */
void wf_schedule_bucket(const struct wf_schedule *schedule, int64_t seconds,
                        char bucket[WF_BUCKET_SIZE]);
/* The day whose birthdays are meant, at that time; UTC. */
struct wf_minute wf_schedule_birthday(const struct wf_schedule *schedule,
                                      int64_t seconds);

#endif
