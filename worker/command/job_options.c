#include "command/job_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <jansson.h>

#include "base/nearest.h"

/* --- what there is */

static const char *const jobs[] = { "attempts",
                                    "backoff",
                                    "continueParentOnFailure",
                                    "deduplication",
                                    "delay",
                                    "failParentOnFailure",
                                    "ignoreDependencyOnFailure",
                                    "jobId",
                                    "keepLogs",
                                    "lifo",
                                    "parent",
                                    "priority",
                                    "removeDependencyOnFailure",
                                    "removeOnComplete",
                                    "removeOnFail",
                                    "sizeLimit",
                                    "stackTraceLimit",
                                    "telemetry",
                                    "timestamp",
                                    NULL };
static const char *const backoffs[] = { "type", "delay", "jitter", NULL };
static const char *const deduplications[] = {
    "id", "ttl", "extend", "replace", "keepLastIfActive", "reschedule", NULL
};
static const char *const keeps[] = { "age", "count", "limit", NULL };
static const char *const parents[] = { "id", "queue", NULL };
static const char *const telemetries[] = { "metadata", "omitContext", NULL };

static const struct {
    const char *option;
    const char *const *members; /* where its value is an object */
} objects[] = {
    { "backoff", backoffs },       { "deduplication", deduplications },
    { "removeOnComplete", keeps }, { "removeOnFail", keeps },
    { "parent", parents },         { "telemetry", telemetries },
};

/* --- checking */

static const char *name_at(const void *arg, size_t index)
{
    return ((const char *const *)arg)[index];
}

static bool is_known(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* `of`: the option whose members these are, or NULL. */
static int check_members(const json_t *object, const char *of, const char *const *names,
                         struct bw_error *err)
{
    const char *name, *near, *dot = of != NULL ? "." : "";
    const json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        if (is_known(names, name))
            continue;
        near = wk_nearest(name, name_at, names);
        return bw_error_set(err, BW_EINVAL, "OPTIONS: unknown option \"%s%s%.64s\"%s%s%s",
                            of != NULL ? of : "", dot, name,
                            near != NULL ? "; did you mean \"" : "",
                            near != NULL ? near : "", near != NULL ? "\"?" : "");
    }
    return BW_OK;
}

static int check(const json_t *options, struct bw_error *err)
{
    int rc = check_members(options, NULL, jobs, err);

    for (size_t i = 0; rc == BW_OK && i < sizeof objects / sizeof objects[0]; i++) {
        const json_t *value = json_object_get(options, objects[i].option);

        if (json_is_object(value))
            rc = check_members(value, objects[i].option, objects[i].members, err);
    }
    return rc;
}

int wk_job_options_check(const char *text, struct bw_error *err)
{
    json_error_t at;
    json_t *options = json_loads(text, JSON_DECODE_ANY, &at);
    int rc;

    if (options == NULL)
        rc = bw_error_set(err, BW_EINVAL, "OPTIONS: not JSON: line %d, column %d",
                          at.line, at.column);
    else if (!json_is_object(options))
        rc = bw_error_set(err, BW_EINVAL, "OPTIONS: must be an object");
    else
        rc = check(options, err);
    json_decref(options);
    return rc;
}
