/* action.database_query. worker/workflow/spec/workflow.md §5.3.1 */
#include "workflow/nodes/query/query.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/nodes/nodes.h"

static const struct query {
    const char *name;
    enum wf_action (*start)(struct wf_run *run);
} queries[] = {
#define X(name, start) { name, start },
    WF_QUERIES(X)
#undef X
};

#define QUERY_COUNT (sizeof(queries) / sizeof(queries[0]))

const char *wf_query_name(const void *arg, size_t index)
{
    (void)arg;
    return index < QUERY_COUNT ? queries[index].name : NULL;
}

static const struct query *find(const char *name)
{
    for (size_t i = 0; i < QUERY_COUNT; i++) {
        if (strcmp(queries[i].name, name) == 0)
            return &queries[i];
    }
    return NULL;
}

bool wf_query_known(const char *name)
{
    return find(name) != NULL;
}

static enum wf_action refuse(struct wf_run *run, const char *name)
{
    struct bw_buf list = BW_BUF_INIT;
    enum wf_action action;

    for (size_t i = 0; i < QUERY_COUNT; i++)
        wf_check(bw_buf_addf(&list, "%s%s", i > 0 ? ", " : "", queries[i].name));
    action = wf_node_fail(run, "Unauthorized query type: %s. Available queries: %s", name,
                          bw_buf_text(&list));
    bw_buf_fini(&list);
    return action;
}

enum wf_action wf_start_query(struct wf_run *run)
{
    const json_t *config = run->node->config;
    const char *name = wf_member(config, "query", "");
    const json_t *params = json_object_get(config, "parameters");
    const struct query *query = find(name);

    if (*name == '\0')
        return wf_node_fail(run, "Query type is required");
    if (query == NULL)
        return refuse(run, name);
    json_decref(run->scratch);
    run->scratch =
        wf_run_value(run, params != NULL ? params : json_object_get(config, "params"));
    if (!json_is_object(run->scratch)) {
        json_decref(run->scratch);
        run->scratch = wf_must(json_object());
    }
    wf_json_set_text(run->scratch, "projectId", run->project_id); /* never another's */
    if (json_object_get(run->scratch, "platform") == NULL)
        wf_json_set_text(run->scratch, "platform", "telegram");
    return query->start(run);
}
