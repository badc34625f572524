#include "workflow/run/under_way.h"

void wf_under_way_enter(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;

    bw_mutex_init(&run->way.mutex);
    bw_mutex_lock(&engine->runs_mutex);
    run->way.next = engine->runs;
    run->way.prevp = &engine->runs;
    if (run->way.next != NULL)
        run->way.next->way.prevp = &run->way.next;
    engine->runs = run;
    bw_mutex_unlock(&engine->runs_mutex);
}

void wf_under_way_leave(struct wf_run *run)
{
    struct wf_engine *engine = run->engine;

    bw_mutex_lock(&engine->runs_mutex);
    *run->way.prevp = run->way.next;
    if (run->way.next != NULL)
        run->way.next->way.prevp = run->way.prevp;
    bw_mutex_unlock(&engine->runs_mutex);
    bw_mutex_fini(&run->way.mutex);
}

static void give_up(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;

    bw_mutex_assert_held(&run->way.mutex);
    if (run->way.pausing)
        effects->hurry(effects->arg, &run->task);
    else if (run->way.call != 0)
        effects->cancel(effects->arg, run->way.kind, run->way.call);
}

void wf_under_way_lock(struct wf_run *run)
{
    bw_mutex_lock(&run->way.mutex);
}

void wf_under_way_begun(struct wf_run *run, enum wf_call_kind kind, wf_call call)
{
    run->way.kind = kind;
    run->way.call = call;
    if (run->way.told)
        give_up(run);
    bw_mutex_unlock(&run->way.mutex);
}

void wf_under_way_over(struct wf_run *run)
{
    bw_mutex_lock(&run->way.mutex);
    run->way.call = 0;
    bw_mutex_unlock(&run->way.mutex);
}

void wf_under_way_pause(struct wf_run *run, int64_t delay_ms)
{
    const struct wf_effects *effects = run->engine->effects;

    bw_mutex_lock(&run->way.mutex);
    run->way.pausing = true;
    effects->post_after(effects->arg, &run->task, run->way.told ? 0 : delay_ms);
    bw_mutex_unlock(&run->way.mutex);
}

bool wf_under_way_resume(struct wf_run *run)
{
    bool told;

    bw_mutex_lock(&run->way.mutex);
    run->way.pausing = false;
    told = run->way.told;
    bw_mutex_unlock(&run->way.mutex);
    return told;
}

void wf_under_way_last(struct wf_run *run)
{
    bw_mutex_lock(&run->way.mutex);
    run->way.told = false;
    bw_mutex_unlock(&run->way.mutex);
}

void wf_under_way_stop(struct wf_engine *engine, const struct bw_job *job)
{
    struct wf_run *run;

    bw_mutex_lock(&engine->runs_mutex);
    for (run = engine->runs; run != NULL && run->job != job; run = run->way.next)
        ;
    if (run != NULL) {
        bw_mutex_lock(&run->way.mutex);
        run->way.told = true;
        give_up(run);
        bw_mutex_unlock(&run->way.mutex);
    }
    bw_mutex_unlock(&engine->runs_mutex);
}
