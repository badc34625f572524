/* What state transitions read of a job's `opts`. Lenient: other libraries and old
 * versions write there too. */
#include "queue/options.h"

#include <jansson.h>
#include <string.h>

static const struct bw_keep keep_all = { .count = -1, .age = -1, .limit = -1 };

/* Numbers are read as reals (a whole number too large for 64 bits is no reason to lose
 * the rest); out of range they are cut. */
static int64_t to_integer(double number)
{
    if (!(number > -9.0e15))
        return -9000000000000000;
    return number < 9.0e15 ? (int64_t)number : 9000000000000000;
}

static double get_number(const json_t *object, const char *key, double otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static int64_t get_integer(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? to_integer(json_number_value(value)) : otherwise;
}

/* lib/spec/bullmq.md §5.5: true, false, a number, or an object */
static struct bw_keep get_keep(const json_t *opts, const char *key)
{
    const json_t *value = json_object_get(opts, key);
    struct bw_keep keep = keep_all;

    keep.set = true;
    if (json_is_boolean(value)) {
        keep.count = json_is_true(value) ? 0 : -1;
    } else if (json_is_number(value)) {
        keep.count = to_integer(json_number_value(value));
    } else if (json_is_object(value)) {
        keep.count = get_integer(value, "count", -1);
        keep.age = get_integer(value, "age", -1);
        keep.limit = get_integer(value, "limit", -1);
    } else {
        keep.set = false;
    }
    return keep;
}

/* §2.3: an object, or a number where the writer did not normalise it */
static void get_backoff(struct bw_job_opts *opts, const json_t *value)
{
    if (json_is_number(value)) {
        opts->backoff_delay = json_number_value(value);
        if (opts->backoff_delay != 0)
            opts->backoff = BW_BACKOFF_FIXED;
        return;
    }
    if (!json_is_object(value))
        return;
    const char *type = json_string_value(json_object_get(value, "type"));

    opts->backoff_delay = get_number(value, "delay", 0);
    opts->backoff_jitter = get_number(value, "jitter", 0);
    if (type != NULL && strcmp(type, "fixed") == 0)
        opts->backoff = BW_BACKOFF_FIXED;
    else if (type != NULL && strcmp(type, "exponential") == 0)
        opts->backoff = BW_BACKOFF_EXPONENTIAL;
    else
        opts->backoff = BW_BACKOFF_CUSTOM;
}

static bool is_truthy(const json_t *value)
{
    if (json_is_number(value))
        return json_number_value(value) != 0;
    if (json_is_string(value))
        return json_string_length(value) > 0;
    return value != NULL && !json_is_false(value) && !json_is_null(value);
}

/* Longer than a year is as good as none, and keeps sums of times far from overflow. */
static int64_t get_timeout(const json_t *object)
{
    int64_t timeout = get_integer(object, "timeout", 0);

    return timeout > 0 && timeout <= INT64_C(31536000000) ? timeout : 0;
}

/* What a plain add leaves, which is most jobs: nothing to parse. */
static bool is_default(const char *json, size_t len)
{
    static const char plain[] = "{\"attempts\":0}";

    return len == 0 || (len == 2 && memcmp(json, "{}", 2) == 0) ||
           (len == sizeof(plain) - 1 && memcmp(json, plain, len) == 0);
}

int bw_job_opts_parse(struct bw_job_opts *opts, const char *json, size_t len)
{
    json_error_t why;

    *opts = (struct bw_job_opts){
        .stack_trace_limit = -1,
        .remove_on_complete = keep_all,
        .remove_on_fail = keep_all,
    };
    if (json == NULL || is_default(json, len))
        return BW_OK;
    json_t *object =
        json_loadb(json, len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &why);

    if (object == NULL)
        return json_error_code(&why) == json_error_out_of_memory ? BW_ENOMEM : BW_OK;
    if (json_is_object(object)) {
        int64_t attempts = get_integer(object, "attempts", 0);

        opts->attempts =
            attempts > 0 ? (unsigned)(attempts < INT32_MAX ? attempts : INT32_MAX) : 0;
        get_backoff(opts, json_object_get(object, "backoff"));
        opts->lifo = is_truthy(json_object_get(object, "lifo"));
        opts->stack_trace_limit = get_integer(object, "stackTraceLimit", -1);
        opts->keep_logs = get_integer(object, "kl", 0);
        opts->timeout = get_timeout(object);
        opts->remove_on_complete = get_keep(object, "removeOnComplete");
        opts->remove_on_fail = get_keep(object, "removeOnFail");
    }
    json_decref(object);
    return BW_OK;
}
