/* What a queue counts and holds. lib/spec/bullmq.md §§7.4, 10.7, 10.9 */
#include "queue/admin_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "queue/calls_impl.h"
#include "queue/json_text.h"
#include "scripts.h"

/* Ends a call that has written its JSON. */
static enum bw_admin_step written(const struct bw_admin_call *call, int rc,
                                  struct bw_error *err)
{
    if (rc != BW_OK)
        (void)bw_error_set(err, rc, "%s: %s", call->kind->name,
                           rc == BW_ENOMEM ? "out of memory" : "unexpected reply");
    return BW_ADMIN_END;
}

/* {"<name>": n, …} of call->names and a list of numbers. */
static int add_numbers(struct bw_admin_call *call, const struct bw_reply *reply)
{
    int rc = bw_buf_add_char(&call->json, '{');

    for (size_t i = 0; rc == BW_OK && call->names[i] != NULL; i++) {
        if (i > 0)
            rc = bw_buf_add_char(&call->json, ',');
        if (rc == BW_OK)
            rc = bw_json_add_string(&call->json, call->names[i], strlen(call->names[i]));
        if (rc == BW_OK)
            rc = bw_buf_addf(&call->json, ":%lld",
                             (long long)bw_reply_integer(bw_reply_at(reply, i)));
    }
    return rc == BW_OK ? bw_buf_add_char(&call->json, '}') : rc;
}

static enum bw_admin_step take_numbers(struct bw_admin_call *call,
                                       const struct bw_reply *reply, struct bw_error *err)
{
    return written(call, add_numbers(call, reply), err);
}

/* --- counts */

static void build_counts(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_count_jobs);
    for (char **name = call->names; *name != NULL; name++)
        bw_cmd_str(cmd, *name);
}

static const char *const states6[] = { "active",           "completed",   "delayed",
                                       "failed",           "prioritized", "waiting",
                                       "waiting-children", NULL };
static const char *const states5[] = { "active",  "completed",        "delayed",
                                       "failed",  "paused",           "prioritized",
                                       "waiting", "waiting-children", NULL };

int bw_admin_counts(const struct bw_queue_at *at, const char *const *states,
                    bw_json_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "getJobCounts", build_counts, take_numbers,
                                               false };

    if (states == NULL)
        states = at != NULL && at->line == 5 ? states5 : states6;
    return bw_admin_run(
        at, &kind, &(struct bw_admin_ask){ .names = states, .json_cb = cb, .arg = arg });
}

static void build_priorities(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_count_priorities);
    bw_cmd_int(cmd, call->line);
    for (char **name = call->names; *name != NULL; name++)
        bw_cmd_str(cmd, *name);
}

int bw_admin_counts_per_priority(const struct bw_queue_at *at, const int64_t *priorities,
                                 size_t count, bw_json_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "getCountsPerPriority", build_priorities,
                                               take_numbers, false };
    char(*texts)[24];
    const char **names;
    int rc;

    if (priorities == NULL && count > 0)
        return BW_EINVAL;
    texts = bw_calloc(count + 1, sizeof *texts);
    names = bw_calloc(count + 1, sizeof *names);
    rc = texts != NULL && names != NULL ? BW_OK : BW_ENOMEM;

    for (size_t i = 0; rc == BW_OK && i < count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%lld", (long long)priorities[i]);
        names[i] = texts[i];
    }
    if (rc == BW_OK)
        rc = bw_admin_run(
            at, &kind,
            &(struct bw_admin_ask){ .names = names, .json_cb = cb, .arg = arg });
    free(texts);
    free(names);
    return rc;
}

/* --- ids */

static void build_ids(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_job_ids);
    bw_cmd_str(cmd, call->state);
    bw_cmd_int(cmd, call->one);
    bw_cmd_int(cmd, call->two);
    bw_cmd_flag(cmd, call->flag);
}

static enum bw_admin_step take_ids(struct bw_admin_call *call,
                                   const struct bw_reply *reply, struct bw_error *err)
{
    int rc = bw_buf_add_char(&call->json, '[');

    for (size_t i = 0; rc == BW_OK && i < bw_reply_count(reply); i++) {
        size_t len;
        const char *text = bw_reply_text(bw_reply_at(reply, i), &len);

        if (i > 0)
            rc = bw_buf_add_char(&call->json, ',');
        if (rc == BW_OK)
            rc = bw_json_add_string(&call->json, text, len);
    }
    return written(call, rc == BW_OK ? bw_buf_add_char(&call->json, ']') : rc, err);
}

int bw_admin_job_ids(const struct bw_queue_at *at, const char *state, int64_t first,
                     int64_t last, bool oldest_first, bw_json_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "getRanges", build_ids, take_ids, false };

    if (state == NULL)
        return BW_EINVAL;
    return bw_admin_run(at, &kind,
                        &(struct bw_admin_ask){ .state = state,
                                                .one = first,
                                                .two = last,
                                                .flag = oldest_first,
                                                .json_cb = cb,
                                                .arg = arg });
}

/* --- the rate limit; a number may be negative here */

static void build_ttl(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_limit_ttl);
    if (call->one >= 0)
        bw_cmd_int(cmd, call->one);
    else
        bw_cmd_str(cmd, "");
}

static enum bw_admin_step take_ttl(struct bw_admin_call *call,
                                   const struct bw_reply *reply, struct bw_error *err)
{
    call->number = bw_reply_integer(reply);
    return written(call, bw_reply_kind(reply) == BW_REPLY_INTEGER ? BW_OK : BW_EPROTO,
                   err);
}

int bw_admin_limit_ttl(const struct bw_queue_at *at, int64_t max, bw_number_cb *cb,
                       void *arg)
{
    static const struct bw_admin_kind kind = { "getRateLimitTtl", build_ttl, take_ttl,
                                               false };

    return bw_admin_run(
        at, &kind, &(struct bw_admin_ask){ .one = max, .number_cb = cb, .arg = arg });
}

/* --- metrics */

/* A field of a hash that holds a number; absent is 0. */
static long long field(const struct bw_reply *reply, size_t index)
{
    const char *text = bw_reply_text(bw_reply_at(reply, index), NULL);

    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

static void build_metrics(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    bw_admin_script(call, cmd, &bw_script_read_metrics);
    bw_cmd_str(cmd, call->state);
    bw_cmd_int(cmd, call->one);
    bw_cmd_int(cmd, call->two);
}

static enum bw_admin_step take_metrics(struct bw_admin_call *call,
                                       const struct bw_reply *reply, struct bw_error *err)
{
    const struct bw_reply *data = bw_reply_at(reply, 3);
    int rc = bw_buf_addf(&call->json,
                         "{\"count\":%lld,\"prevTS\":%lld,\"prevCount\":%lld,\"data\":[",
                         field(reply, 0), field(reply, 1), field(reply, 2));

    for (size_t i = 0; rc == BW_OK && i < bw_reply_count(data); i++)
        rc = bw_buf_addf(&call->json, "%s%lld", i > 0 ? "," : "", field(data, i));
    if (rc == BW_OK)
        rc = bw_buf_addf(&call->json, "],\"points\":%lld}",
                         (long long)bw_reply_integer(bw_reply_at(reply, 4)));
    return written(call, rc, err);
}

static bool is_end(const char *state)
{
    return state != NULL &&
           (strcmp(state, "completed") == 0 || strcmp(state, "failed") == 0);
}

int bw_admin_metrics(const struct bw_queue_at *at, const char *of, int64_t first,
                     int64_t last, bw_json_cb *cb, void *arg)
{
    static const struct bw_admin_kind kind = { "getMetrics", build_metrics, take_metrics,
                                               false };

    if (!is_end(of))
        return BW_EINVAL;
    return bw_admin_run(
        at, &kind,
        &(struct bw_admin_ask){
            .state = of, .one = first, .two = last, .json_cb = cb, .arg = arg });
}

/* --- Prometheus: the counts, then both totals. call->id: the labels as text, state: the
 * queue's name */

static void build_prometheus(struct bw_admin_call *call, struct bw_cmd *cmd)
{
    if (!call->begun) {
        build_counts(call, cmd);
        return;
    }
    bw_cmd_str(cmd, "HGET");
    bw_cmd_key(cmd, &call->keys,
               call->one == 1 ? BW_KEY_METRICS_COMPLETED : BW_KEY_METRICS_FAILED);
    bw_cmd_str(cmd, "count");
}

static int add_counts(struct bw_admin_call *call, const struct bw_reply *reply)
{
    int rc = bw_buf_add_str(&call->json,
                            "# HELP bullmq_job_count Number of jobs in the queue by "
                            "state\n# TYPE bullmq_job_count gauge\n");

    for (size_t i = 0; rc == BW_OK && call->names[i] != NULL; i++)
        rc = bw_buf_addf(&call->json,
                         "bullmq_job_count{queue=\"%s\", state=\"%s\"%s} %lld\n",
                         call->state, call->names[i], call->id,
                         (long long)bw_reply_integer(bw_reply_at(reply, i)));
    return rc;
}

static int add_total(struct bw_admin_call *call, const struct bw_reply *reply)
{
    const char *text = bw_reply_text(reply, NULL);
    const char *of = call->one == 1 ? "completed" : "failed";

    return bw_buf_addf(&call->json,
                       "# HELP bullmq_job_%s_total Total number of %s jobs\n"
                       "# TYPE bullmq_job_%s_total counter\n"
                       "bullmq_job_%s_total{queue=\"%s\"%s} %s%s",
                       of, of, of, of, call->state, call->id, text != NULL ? text : "0",
                       call->one == 1 ? "\n" : "");
}

static enum bw_admin_step take_prometheus(struct bw_admin_call *call,
                                          const struct bw_reply *reply,
                                          struct bw_error *err)
{
    int rc = call->one == 0 ? add_counts(call, reply) : add_total(call, reply);

    (void)written(call, rc, err);
    return call->one++ < 2 ? BW_ADMIN_AGAIN : BW_ADMIN_END;
}

/* A label's value: backslash, quote and line feed are escaped. */
static int add_label_text(struct bw_buf *out, const char *text)
{
    int rc = BW_OK;

    for (; rc == BW_OK && *text != '\0'; text++) {
        if (*text == '\n')
            rc = bw_buf_add_str(out, "\\n");
        else if (*text == '\\' || *text == '"')
            rc = bw_buf_addf(out, "\\%c", *text);
        else
            rc = bw_buf_add_char(out, *text);
    }
    return rc;
}

/* New: `, name="value"` for each; NULL: no memory, or no object of texts. */
static char *label_text(const char *labels)
{
    json_t *object = json_loads(labels != NULL ? labels : "{}", 0, NULL), *value;
    struct bw_buf out = BW_BUF_INIT;
    int rc = json_is_object(object) ? bw_buf_add_str(&out, "") : BW_EINVAL;
    const char *name;
    char *text;

    json_object_foreach(object, name, value)
    {
        if (rc == BW_OK)
            rc = json_is_string(value) ? bw_buf_addf(&out, ", %s=\"", name) : BW_EINVAL;
        if (rc == BW_OK)
            rc = add_label_text(&out, json_string_value(value));
        if (rc == BW_OK)
            rc = bw_buf_add_char(&out, '"');
    }
    text = rc == BW_OK ? bw_strdup(out.len > 0 ? bw_buf_text(&out) : "") : NULL;
    bw_buf_fini(&out);
    json_decref(object);
    return text;
}

int bw_admin_prometheus(const struct bw_queue_at *at, const char *labels, bw_json_cb *cb,
                        void *arg)
{
    static const struct bw_admin_kind kind = { "exportPrometheusMetrics",
                                               build_prometheus, take_prometheus, false };
    struct bw_buf name = BW_BUF_INIT;
    char *text;
    int rc;

    if (!bw_queue_at_is_whole(at))
        return BW_EINVAL;
    text = label_text(labels);
    rc = text != NULL ? add_label_text(&name, at->queue) : BW_EINVAL;
    if (rc == BW_OK)
        rc = bw_admin_run(
            at, &kind,
            &(struct bw_admin_ask){ .id = text,
                                    .state = bw_buf_text(&name),
                                    .names = at->line == 5 ? states5 : states6,
                                    .json_cb = cb,
                                    .arg = arg });
    free(text);
    bw_buf_fini(&name);
    return rc;
}
