#include "workflow/run/job_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/base/ids.h"

static const char *update_of(const struct wf_run *run)
{
    return run->event.update_id != NULL ? run->event.update_id : "";
}

const char *wf_job_key(struct wf_run *run)
{
    BW_ASSERT(run->project_id != NULL);
    if (run->job_key == NULL)
        run->job_key = wf_printf(
            "%s:%s:%s@%lld/%s/%s", wf_job_prefix(run), run->engine->queue, wf_job_id(run),
            (long long)wf_job_timestamp(run), run->project_id, update_of(run));
    return run->job_key;
}

char *wf_job_atm(const struct wf_run *run)
{
    return wf_printf("%u", wf_job_attempts_made(run));
}

void wf_job_execution_id(struct wf_run *run, char id[WF_ID_SIZE])
{
    char *text = wf_printf("%s#%u", wf_job_key(run), wf_job_attempts_made(run));

    wf_id_of(text, id);
    free(text);
}

json_t *wf_job_owner(const struct wf_run *run)
{
    json_t *owner = wf_must(json_object());

    BW_ASSERT(run->project_id != NULL);
    wf_json_set(owner, "timestamp", json_integer(wf_job_timestamp(run)));
    wf_json_set_text(owner, "projectId", run->project_id);
    wf_json_set_text(owner, "updateId", run->event.update_id);
    return owner;
}

bool wf_job_owns(const struct wf_run *run, const json_t *checkpoint)
{
    const json_t *owner = json_object_get(checkpoint, "job");

    return json_is_object(owner) &&
           json_integer_value(json_object_get(owner, "timestamp")) ==
               wf_job_timestamp(run) &&
           strcmp(wf_member(owner, "projectId", ""), run->project_id) == 0 &&
           strcmp(wf_member(owner, "updateId", ""), update_of(run)) == 0;
}
