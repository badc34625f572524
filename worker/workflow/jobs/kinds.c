#include "workflow/jobs/kinds.h"

#include <stdlib.h>
#include <string.h>

#include "json/read.h"
#include "workflow/base/mem.h"
#include "workflow/jobs/delay_job.h"
#include "workflow/jobs/scheduled_job.h"
#include "workflow/jobs/small_jobs.h"
#include "workflow/language/sanitise.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/outbox/flush.h"
#include "workflow/run/job.h"
#include "workflow/steps/arrive.h"
#include "workflow/language/event.h"

#define SHOWN_DATA 500

static void pattern_given_up(void *arg, const char *pattern)
{
    struct wf_run *run = arg;

    bw_log(wf_job_log(run), BW_LOG_WARNING,
           "a trigger's pattern takes too long and does not match: it is told once",
           bw_text("project", run->project_id), bw_text("pattern", pattern));
}

static void start_heavy(struct wf_run *run)
{
    struct bw_error err = { 0 };
    int rc = wf_event_parse(&run->event, json_object_get(run->data, "context"),
                            wf_member(run->data, "trigger", NULL), &err);

    if (rc == BW_ENOMEM) {
        wf_check(rc);
    } else if (rc != BW_OK || run->event.chat_id == NULL) {
        bw_log(wf_job_log(run), BW_LOG_INFO, "nothing in this update can be handled",
               bw_text("reason", err.text));
        wf_run_answer(run, false);
    } else if (run->event.max_platform) {
        bw_log(wf_job_log(run), BW_LOG_WARNING, "there is no transport to MAX");
        wf_run_answer(run, false);
    } else {
        wf_run_prepare(run);
        run->patterns.tell = pattern_given_up;
        run->patterns.arg = run;
        run->event.patterns = &run->patterns;
        wf_arrive(run);
    }
}

static const struct {
    const char *name;
    /* needs a projectId */
    bool project;
    wf_step *start;
} kinds[] = {
    { "heavy_workflow_execution", true, start_heavy },
    { "user_variables_update", true, wf_small_refresh },
    { "statistics_aggregation", false, wf_small_acknowledge },
    { "scheduled_workflow_execution", true, wf_scheduled_start },
    { "delay-task", true, wf_delay_start },
};

/* The data is shown to whoever looks for the cause, but no secret in it
 * (worker/workflow/spec/workflow.md §3.10). */
static void refuse_unknown(struct wf_run *run)
{
    json_t *shown = wf_sanitise(run->data);
    char *text = shown != NULL ? wf_dumps(shown) : wf_strdup("not JSON");
    size_t len = strlen(text);

    if (len > SHOWN_DATA) {
        len = SHOWN_DATA;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a character */
        text[len] = '\0';
    }
    json_decref(shown);
    wf_run_refuse(run, "Unknown workflow job data: %s", text);
    free(text);
}

static void dispatch(struct wf_run *run)
{
    const char *name = wf_member(run->data, "type", NULL);

    if (name == NULL)
        name = wf_job_name(run);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        run->project_id = wf_member(run->data, "projectId", "");
        if (kinds[i].project && *run->project_id == '\0')
            wf_run_refuse(run, "The job's data has no projectId");
        else
            kinds[i].start(run);
        return;
    }
    refuse_unknown(run);
}

void wf_kinds_start(struct wf_engine *engine, struct bw_job *job)
{
    struct wf_run *run = wf_run_create(engine, job);
    const char *data;
    size_t len;

    if (run == NULL)
        return;
    run->ending.last_words = wf_last_words;
    run->ending.leave = wf_checkpoint_leave;
    data = wf_job_data(run, &len);
    run->data = wk_json_read(data, len, 0, NULL);
    if (json_is_object(run->data))
        dispatch(run);
    else
        refuse_unknown(run);
}
