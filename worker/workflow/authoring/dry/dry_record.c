#include "workflow/authoring/dry/dry_record.h"

#include "workflow/base/mem.h"
#include "workflow/run/run.h"

void dry_record(struct wf_dry *dry, const char *kind, json_t *call)
{
    const struct wf_run *run = dry->engine->runs;
    bool inside = run != NULL && run->node != NULL;

    wf_json_set_text(call, "kind", kind);
    wf_json_set(call, "node", inside ? wf_text(run->node->id) : json_null());
    wf_json_set(call, "step", inside ? json_integer(run->execution.steps) : json_null());
    wf_json_set(call, "execution", inside ? wf_text(run->execution.id) : json_null());
    if (dry->item == NULL)
        json_decref(call); /* after the last job */
    else
        wf_check(json_array_append_new(json_object_get(dry->item, "calls"), call) == 0
                     ? BW_OK
                     : BW_ENOMEM);
}
