#include "workflow/jobs/small_jobs.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/run/customer.h"
#include "workflow/base/mem.h"
#include "workflow/run/run.h"
#include "workflow/run/versions.h"
#include "workflow/run/io.h"
#include "workflow/run/person.h"
#include "workflow/base/iso.h"

static wf_step dropped, stored, loaded;

void wf_small_refresh(struct wf_run *run)
{
    const char *user_id = wf_member(run->data, "userId", "");

    if (*user_id == '\0') {
        wf_run_complete(run, "{\"success\":true}");
        return;
    }
    (void)wf_run_keys(run);
    wf_person_drop_keys(run, user_id);
    wf_run_kv(run, dropped);
}

static void dropped(struct wf_run *run)
{
    run->project = wf_projects_get(&run->engine->projects, run->project_id);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_customer, run->project_id,
                    wf_member(run->data, "userId", NULL), NULL, NULL,
                    run->engine->settings.timezone);
    if (run->project == NULL)
        (void)wf_db_add(run, WF_SQL_project, run->project_id);
    wf_db_run(run, loaded, NULL);
}

/* Both values from one row, into the caches. */
static void store(struct wf_run *run, const json_t *row)
{
    const struct wf_settings *settings = &run->engine->settings;
    const char *user_id = wf_member(row, "id", "");
    json_t *variables = wf_must(json_object()), *profile = wf_must(json_object());
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set(variables, "variables",
                wf_customer_variables(row, run->project->levels, settings));
    wf_json_set_text(variables, "userId", user_id);
    wf_json_set_text(variables, "projectId", run->project_id);
    wf_json_set_text(variables, "cachedAt", now);
    wf_json_set(profile, "profile", wf_customer_profile(row));
    wf_json_set_text(profile, "userId", user_id);
    wf_json_set_text(profile, "cachedAt", now);
    (void)wf_run_keys(run);
    (void)wf_kv_add(&run->kv, WF_KV_SET,
                    wf_person_key(run, settings->key_user_variables, user_id),
                    wf_dumps(variables), settings->ttl_user_variables * 1000);
    (void)wf_kv_add(&run->kv, WF_KV_SET,
                    wf_person_key(run, settings->key_user_profile, user_id),
                    wf_dumps(profile), settings->ttl_user_profile * 1000);
    json_decref(variables);
    json_decref(profile);
    wf_run_kv(run, stored);
}

static void stored(struct wf_run *run)
{
    wf_run_complete(run, "{\"success\":true}");
}

static void loaded(struct wf_run *run)
{
    json_t *row = wf_loads(wf_db_value(run, 0, 0, WF_COL_customer_object));

    if (run->project == NULL)
        wf_versions_take_project(run, 1);
    if (row != NULL && run->project != NULL)
        store(run, row);
    else
        wf_run_complete(run, "{\"success\":true}"); /* a missing customer is success */
    json_decref(row);
}

void wf_small_acknowledge(struct wf_run *run)
{
    wf_run_complete(run, "{\"success\":true}");
}
