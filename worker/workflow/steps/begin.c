/* worker/workflow/spec/workflow.md §3.4, §3.5: a new execution. The row itself is written
 * with the flush, in the same round trip; until then the checkpoint speaks for it. */
#include "workflow/steps/begin.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/language/graph/trigger.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/run/io.h"
#include "workflow/run/job_key.h"
#include "workflow/run/values.h"
#include "workflow/steps/loop.h"
#include "workflow/base/ids.h"
#include "workflow/base/iso.h"

static wf_step variables_loaded, run_trigger, start;

static void name_execution(struct wf_run *run, const char *id, bool adopt)
{
    char fresh[WF_ID_SIZE];

    wf_job_execution_id(run, fresh);
    wf_set(&run->execution.id, id != NULL ? id : fresh);
    wf_set(&run->execution.workflow_id, run->graph->workflow_id);
    run->execution.version = run->graph->version;
    run->execution.stored = adopt;
    run->execution.resumed = false;
    run->execution.steps = run->execution.steps_before = 0;
    wf_iso(wf_engine_now_ms(run->engine), run->execution.started);
}

static char *new_session(const struct wf_run *run)
{
    return wf_printf("%s_%s_%lld", run->event.chat_id,
                     run->event.from_id != NULL ? run->event.from_id : "unknown",
                     (long long)wf_engine_now_ms(run->engine));
}

void wf_begin(struct wf_run *run, const char *id, bool adopt, const char *reuse)
{
    BW_ASSERT(run->graph != NULL && run->outer == NULL);
    if (wf_graph_trigger(run->graph, &run->event) == NULL) {
        wf_run_answer(run, false); /* WF-028: no rows */
        return;
    }
    name_execution(run, id, adopt);
    free(run->execution.session_id);
    run->execution.session_id = reuse != NULL ? wf_strdup(reuse) : new_session(run);
    if (reuse == NULL) {
        (void)json_object_clear(run->vars[WF_SESSION]); /* of the session before */
    } else if (run->steps.preloaded == NULL || strcmp(run->steps.preloaded, reuse) != 0) {
        wf_set(&run->steps.preloaded, reuse);
        wf_db_begin(run);
        (void)wf_run_preload_add(run, reuse, run->execution.workflow_id, NULL);
        wf_db_run(run, variables_loaded, NULL);
        return;
    }
    run_trigger(run);
}

static void variables_loaded(struct wf_run *run)
{
    wf_run_preload_take(run, 0, true);
    run_trigger(run);
}

static void run_trigger(struct wf_run *run)
{
    BW_ASSERT(run->execution.session_id != NULL);
    /* in a session that goes on they were set, and may have been changed since */
    if (!run->steps.warm.on || run->steps.preloaded == NULL)
        wf_run_defaults(run);
    if (run->attempt.unsure) /* the row comes before the first effect */
        run->attempt.in_row = true;
    if (run->attempt.in_row)
        wf_checkpoint(run, wf_graph_trigger(run->graph, &run->event)->id, false, start);
    else
        start(run);
}

static void start(struct wf_run *run)
{
    wf_loop_start(run, wf_graph_trigger(run->graph, &run->event));
}
