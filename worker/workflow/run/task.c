/* A run on the worker's threads. A pause may end because the run was told to stop, so
 * that this file and run.c call each other. */
#include "workflow/run/task.h"

#include <stddef.h>

#include "base/assert.h"
#include "workflow/run/under_way.h"

static void run_task(struct bw_task *task)
{
    struct wf_run *run =
        (struct wf_run *)(void *)((char *)task - offsetof(struct wf_run, task));

    BW_ASSERT(run->step != NULL);
    run->step(run);
}

static void paused_task(struct bw_task *task)
{
    struct wf_run *run =
        (struct wf_run *)(void *)((char *)task - offsetof(struct wf_run, task));

    BW_ASSERT(run->step != NULL);
    if (wf_under_way_resume(run) && wf_run_lost(run))
        return;
    run->step(run);
}

void wf_run_post(struct wf_run *run, wf_step *step)
{
    BW_ASSERT(step != NULL);
    run->task.run = run_task;
    run->step = step;
    run->engine->effects->post(run->engine->effects->arg, &run->task);
}

void wf_run_after(struct wf_run *run, int64_t delay_ms, wf_step *step)
{
    BW_ASSERT(step != NULL && delay_ms >= 0);
    run->task.run = paused_task;
    run->step = step;
    wf_under_way_pause(run, delay_ms);
}
