#include "workflow/run/under_way.h"

#include "base/assert.h"
#include "workflow/run/run.h"

void wf_under_way_enter(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;

    BW_ASSERT(run->under_way.prevp == NULL);
    bw_mutex_init(&run->under_way.mutex);
    bw_mutex_lock(&engine->runs_mutex);
    run->under_way.next = engine->runs;
    run->under_way.prevp = &engine->runs;
    if (run->under_way.next != NULL)
        run->under_way.next->under_way.prevp = &run->under_way.next;
    engine->runs = run;
    bw_mutex_unlock(&engine->runs_mutex);
}

void wf_under_way_leave(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;

    BW_ASSERT(run->under_way.prevp != NULL);
    bw_mutex_lock(&engine->runs_mutex);
    *run->under_way.prevp = run->under_way.next;
    if (run->under_way.next != NULL)
        run->under_way.next->under_way.prevp = run->under_way.prevp;
    bw_mutex_unlock(&engine->runs_mutex);
    BW_ASSERT(!run->under_way.pausing && run->under_way.call == 0);
    run->under_way.prevp = NULL;
    bw_mutex_fini(&run->under_way.mutex);
}

static void give_up(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;

    bw_mutex_assert_held(&run->under_way.mutex);
    if (run->under_way.pausing)
        effects->hurry(effects->arg, &run->task);
    else if (run->under_way.call != 0)
        effects->cancel(effects->arg, run->under_way.kind, run->under_way.call);
}

void wf_under_way_lock(struct wf_run *run)
{
    bw_mutex_lock(&run->under_way.mutex);
}

void wf_under_way_begun(struct wf_run *run, enum wf_call_kind kind, wf_call call)
{
    bw_mutex_assert_held(&run->under_way.mutex);
    BW_ASSERT(run->under_way.call == 0 && !run->under_way.pausing);
    run->under_way.kind = kind;
    run->under_way.call = call;
    if (run->under_way.told)
        give_up(run);
    bw_mutex_unlock(&run->under_way.mutex);
}

void wf_under_way_over(struct wf_run *run)
{
    bw_mutex_lock(&run->under_way.mutex);
    run->under_way.call = 0;
    bw_mutex_unlock(&run->under_way.mutex);
}

void wf_under_way_pause(struct wf_run *run, int64_t delay_ms)
{
    const struct wf_effects *effects = run->engine->effects;

    bw_mutex_lock(&run->under_way.mutex);
    BW_ASSERT(!run->under_way.pausing && run->under_way.call == 0);
    run->under_way.pausing = true;
    effects->post_after(effects->arg, &run->task, run->under_way.told ? 0 : delay_ms);
    bw_mutex_unlock(&run->under_way.mutex);
}

bool wf_under_way_resume(struct wf_run *run)
{
    bool told;

    bw_mutex_lock(&run->under_way.mutex);
    BW_ASSERT(run->under_way.pausing);
    run->under_way.pausing = false;
    told = run->under_way.told;
    bw_mutex_unlock(&run->under_way.mutex);
    return told;
}

void wf_under_way_last(struct wf_run *run)
{
    bw_mutex_lock(&run->under_way.mutex);
    run->under_way.told = false;
    bw_mutex_unlock(&run->under_way.mutex);
}

void wf_under_way_stop(struct wf_engine *engine, const struct bw_job *job)
{
    struct wf_run *run;

    bw_mutex_lock(&engine->runs_mutex);
    for (run = engine->runs; run != NULL && run->job != job; run = run->under_way.next)
        ;
    if (run != NULL) {
        bw_mutex_lock(&run->under_way.mutex);
        run->under_way.told = true;
        give_up(run);
        bw_mutex_unlock(&run->under_way.mutex);
    }
    bw_mutex_unlock(&engine->runs_mutex);
}
