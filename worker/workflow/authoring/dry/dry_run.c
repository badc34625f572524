#include "workflow/authoring/dry/dry_run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "workflow/authoring/check/check.h"
#include "workflow/authoring/dry/dry.h"
#include "workflow/authoring/dry/dry_calls.h"
#include "workflow/authoring/dry/dry_db.h"
#include "workflow/authoring/dry/dry_job.h"
#include "workflow/authoring/dry/dry_later.h"
#include "workflow/authoring/dry/dry_record.h"
#include "workflow/authoring/dry/dry_redis.h"
#include "workflow/authoring/dry/dry_seed.h"
#include "workflow/authoring/dry/dry_state.h"
#include "workflow/base/mem.h"
#include "workflow/run/run.h"
#include "workflow/jobs/kinds.h"
#include "workflow/language/graph.h"
#include "workflow/language/text.h"

/* --- time, and what is due */

static struct bw_mono mono(void *arg)
{
    return (struct bw_mono){ ((const struct wf_dry *)arg)->now_ms * 1000000 };
}

static struct bw_wall wall(void *arg)
{
    return (struct bw_wall){ ((const struct wf_dry *)arg)->now_ms };
}

static void run_task(void *arg)
{
    struct bw_task *task = arg;

    task->run(task);
}

static void post(void *arg, struct bw_task *task)
{
    dry_later(arg, run_task, task, 0);
}

static void post_after(void *arg, struct bw_task *task, int64_t delay_ms)
{
    dry_later(arg, run_task, task, delay_ms);
}

static void hurry(void *arg, struct bw_task *task)
{
    (void)arg;
    (void)task; /* only the cancelled are in a hurry */
}

/* --- the trace */

/* Once a step and name; a sub-workflow knows its caller's names, too. */
static void missing(void *arg, struct wf_text path, bool alone)
{
    struct wf_dry *dry = arg;
    const struct wf_run *run = dry->engine->runs;
    struct wf_text name = wf_text_trim(path);
    json_t *warning, *call;
    size_t i;

    if (alone && wf_names_know(&dry->names, name))
        return; /* parameters are left out so */
    warning = wf_must(json_object());

    wf_json_set(warning, "name", wf_must(json_stringn(name.data, name.len)));
    json_array_foreach(json_object_get(dry->item, "calls"), i, call)
    {
        if (json_equal(json_object_get(call, "name"), json_object_get(warning, "name")) &&
            run != NULL &&
            json_integer_value(json_object_get(call, "step")) == run->execution.steps) {
            json_decref(warning);
            return;
        }
    }
    dry_record(dry, "warning", warning);
}

static void begin_item(struct wf_dry *dry, const char *name)
{
    dry->item = wf_must(json_object());
    wf_json_set_text(dry->item, "job", name);
    wf_json_set(dry->item, "steps", wf_must(json_array()));
    wf_json_set(dry->item, "calls", wf_must(json_array()));
    wf_check(json_array_append_new(dry->trace, dry->item) == 0 ? BW_OK : BW_ENOMEM);
}

/* --- jobs */

static void run_job(struct wf_dry *dry, const char *name, const char *id,
                    const char *data)
{
    struct dry_job job = { wf_strdup(id), wf_strdup(data), name, dry, false };

    begin_item(dry, name);
    wf_kinds_start(dry->engine, (struct bw_job *)(void *)&job);
    while (!job.answered && dry->events != NULL)
        dry_step(dry);
    assert(job.answered);
    while (dry->events != NULL && dry->events->due_ms <= dry->now_ms)
        dry_step(dry); /* what the run left behind */
    free(job.id);
    free(job.data);
}

/* The one that is due first; the job may add others. */
static void run_delay(struct wf_dry *dry)
{
    size_t first = 0, i;
    json_t *delay;
    json_int_t due;

    json_array_foreach(dry->delays, i, delay)
    {
        if (json_integer_value(json_object_get(delay, "due")) <
            json_integer_value(
                json_object_get(json_array_get(dry->delays, first), "due")))
            first = i;
    }
    delay = json_incref(json_array_get(dry->delays, first));
    (void)json_array_remove(dry->delays, first); /* it is there */
    due = json_integer_value(json_object_get(delay, "due"));
    if (dry->now_ms < due)
        dry->now_ms = due;
    run_job(dry, "delay-task", wf_member(delay, "id", ""), wf_member(delay, "data", ""));
    json_decref(delay);
}

void wf_dry_update(struct wf_dry *dry, const json_t *update)
{
    json_t *data = wf_must(json_object());
    char *id = wf_printf("%u", ++dry->jobs), *text;

    wf_json_set_text(data, "type", "heavy_workflow_execution");
    wf_json_set_text(data, "projectId", wf_member(dry->project, "id", DRY_PROJECT));
    wf_json_set(data, "context", wf_must(json_deep_copy(update)));
    text = wf_dumps(data);
    run_job(dry, "heavy_workflow_execution", id, text);
    while (json_array_size(dry->delays) > 0)
        run_delay(dry);
    free(text);
    free(id);
    json_decref(data);
}

/* --- life */

static void know_names(struct wf_dry *dry)
{
    struct wf_graph *graph = NULL;
    struct bw_error err;

    if (wf_stored_graph(&graph, dry->workflow, &err) == BW_OK)
        wf_names_init(&dry->names, dry->workflow, graph);
    wf_graph_unref(&graph);
}

int wf_dry_create(struct wf_dry **dryp, const json_t *workflow, const json_t *state,
                  struct bw_error *err)
{
    struct wf_engine_options options = { .queue = "dry-run" };
    struct wf_dry *dry;
    int rc = dry_state_check(state, err);

    if (rc == BW_OK && !json_is_object(workflow))
        rc = bw_error_set(err, BW_EINVAL,
                          "an object {nodes, connections, entryNodeId} expected");
    if (rc != BW_OK)
        return rc;
    dry = wf_alloc(sizeof(*dry));
    dry->workflow = workflow;
    dry->state = state;
    dry_state_seed(dry);
    dry->executions = wf_must(json_object());
    dry->delays = wf_must(json_array());
    dry->trace = wf_must(json_array());
    dry->clock = (struct bw_clock){ mono, wall, dry };
    dry->redis = wf_memory_create(100000, &dry->clock);
    bw_log_init(&dry->log, NULL);
    dry->effects = (struct wf_effects){ .job = &dry_job_effects,
                                        .post = post,
                                        .post_after = post_after,
                                        .hurry = hurry,
                                        .missing = missing,
                                        .clock = &dry->clock,
                                        .arg = dry };
    dry_redis_effects(&dry->effects);
    dry_calls_effects(&dry->effects);
    dry_db_effects(&dry->effects);
    options.effects = &dry->effects;
    options.log = &dry->log;
    know_names(dry);
    rc = wf_engine_create(&dry->engine, &options, err);
    if (rc == BW_OK)
        *dryp = dry;
    else
        wf_dry_destroy(&dry);
    return rc;
}

void wf_dry_destroy(struct wf_dry **dryp)
{
    struct wf_dry *dry = *dryp;

    if (dry == NULL)
        return;
    *dryp = NULL;
    dry->item = NULL;
    if (dry->engine != NULL)
        (void)wf_engine_stop(dry->engine, 0); /* its timers, run below, end by this */
    while (dry->events != NULL)
        dry_step(dry);
    wf_engine_destroy(&dry->engine);
    wf_memory_destroy(&dry->redis);
    json_decref(dry->project);
    wf_names_fini(&dry->names);
    json_decref(dry->store);
    free(dry->found);
    json_decref(dry->variables);
    json_decref(dry->executions);
    json_decref(dry->delays);
    json_decref(dry->trace);
    free(dry);
}

const json_t *wf_dry_trace(const struct wf_dry *dry)
{
    return dry->trace;
}

bool wf_dry_failed(const struct wf_dry *dry)
{
    return dry->failed;
}
