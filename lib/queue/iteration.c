#include "queue/iteration.h"

#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/buf.h>
#include <bulwark/cron.h>

#include "base/alloc.h"
#include "queue/add_options.h"

#define TIME_MAX 8.64e15 /* ms: what a date can be */

static int no_memory(struct bw_error *err)
{
    return bw_error_set(err, BW_ENOMEM, "scheduler: out of memory");
}

/* --- lenient reading of what a job carries (Appendix C) */

static double get_number(const json_t *object, const char *name, double otherwise)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_number(value))
        return otherwise;
    return fmax(-TIME_MAX, fmin(json_number_value(value), TIME_MAX));
}

static int64_t get_ms(const json_t *object, const char *name)
{
    return (int64_t)get_number(object, name, 0);
}

static const char *get_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- when */

/* The first time behind `after`; `*due` false: none before the end. */
static int find_next(const json_t *repeat, const char *sid, int64_t after, int64_t *next,
                     bool *due, struct bw_error *err)
{
    int64_t end = get_ms(repeat, "endDate");
    struct bw_cron *cron;
    struct bw_error none;
    int rc = bw_cron_parse_for(&cron, get_text(repeat, "pattern"), get_text(repeat, "tz"),
                               sid, err);

    if (rc != BW_OK)
        return rc;
    after = later(after, get_ms(repeat, "startDate"));
    *due = bw_cron_next(cron, after, next, &none) == BW_OK && (end == 0 || *next <= end);
    bw_cron_destroy(&cron);
    return BW_OK;
}

/* --- what the scripts are given */

/* The object's text without its last brace: the script goes on. */
static char *open_object(const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(14));

    if (text != NULL)
        text[strlen(text) - 1] = '\0';
    return text;
}

static int set_texts(struct bw_iteration *iteration, const json_t *opts, const char *sid,
                     struct bw_error *err)
{
    json_t *id = json_string(sid);

    if (id == NULL)
        return bw_error_set(err, BW_EINVAL, "id: must be UTF-8");
    iteration->quoted_sid = json_dumps(id, JSON_ENCODE_ANY);
    json_decref(id);
    iteration->opts = open_object(opts);
    if (iteration->quoted_sid == NULL || iteration->opts == NULL)
        return no_memory(err);
    iteration->priority = get_ms(opts, "priority");
    iteration->lifo = json_is_true(json_object_get(opts, "lifo"));
    return BW_OK;
}

/* --- the first iteration */

static int check(const struct bw_scheduler *scheduler, struct bw_wall now,
                 struct bw_error *err)
{
    if (scheduler->id == NULL || *scheduler->id == '\0')
        return bw_error_set(err, BW_EINVAL, "id: must not be empty");
    if ((scheduler->pattern != NULL) == (scheduler->every != 0))
        return bw_error_set(err, BW_EINVAL, "pattern, every: one of the two");
    if (scheduler->every < 0 || (double)scheduler->every > TIME_MAX)
        return bw_error_set(err, BW_EINVAL, "every: must be at least 1 ms");
    if (scheduler->immediately && scheduler->start_date != 0)
        return bw_error_set(err, BW_EINVAL, "immediately: not together with a start");
    if (scheduler->end_date != 0 && scheduler->end_date <= now.ms)
        return bw_error_set(err, BW_EINVAL, "endDate: must be in the future");
    if (scheduler->limit < 0 || scheduler->offset < 0 || scheduler->start_date < 0)
        return bw_error_set(err, BW_EINVAL,
                            "limit, offset, startDate: must not be negative");
    return BW_OK;
}

static int set_number(json_t *object, const char *name, int64_t number)
{
    return number == 0 ? 0 : json_object_set_new(object, name, json_integer(number));
}

static json_t *make_repeat(const struct bw_scheduler *scheduler)
{
    json_t *repeat = json_pack("{s:i, s:s*, s:s*}", "count", 1, "pattern",
                               scheduler->pattern, "tz", scheduler->tz);

    if (repeat != NULL && set_number(repeat, "every", scheduler->every) == 0 &&
        set_number(repeat, "offset", scheduler->offset) == 0 &&
        set_number(repeat, "limit", scheduler->limit) == 0 &&
        set_number(repeat, "startDate", scheduler->start_date) == 0 &&
        set_number(repeat, "endDate", scheduler->end_date) == 0)
        return repeat;
    json_decref(repeat);
    return NULL;
}

static int first_time(struct bw_iteration *iteration, bool *due,
                      const struct bw_scheduler *scheduler, const json_t *repeat,
                      struct bw_wall now, struct bw_error *err)
{
    int rc;

    *due = true;
    iteration->has_every = scheduler->every != 0;
    iteration->every = (double)scheduler->every;
    iteration->offset = (double)scheduler->offset;
    if (iteration->has_every)
        return BW_OK;
    iteration->has_next = true;
    rc = find_next(repeat, scheduler->id, now.ms, &iteration->next, due, err);
    if (rc == BW_OK && scheduler->immediately) {
        iteration->next = now.ms;
        *due = true;
    }
    return rc;
}

/* The template's options as given, and what makes them those of an iteration. */
static int first_texts(struct bw_iteration *iteration,
                       const struct bw_scheduler *scheduler, json_t *repeat,
                       struct bw_wall now, struct bw_error *err)
{
    struct bw_add add = { .data = scheduler->data,
                          .data_len = scheduler->data_len,
                          .opts = scheduler->opts,
                          .opts_len = scheduler->opts_len };
    json_t *opts;
    int rc = bw_add_options_template(&opts, &add, err);

    if (rc != BW_OK)
        return rc;
    (void)json_object_del(opts, "delay"); /* these two are the scheduler's to set: */
    (void)json_object_del(opts, "jobId"); /* absent is as good */
    if (json_object_size(opts) > 0) {
        iteration->template_opts =
            json_dumps(opts, JSON_COMPACT | JSON_REAL_PRECISION(14));
        if (iteration->template_opts == NULL)
            rc = no_memory(err);
    }
    if (rc == BW_OK &&
        (json_object_set(opts, "repeat", repeat) != 0 ||
         json_object_set_new(opts, "timestamp", json_integer(now.ms)) != 0))
        rc = no_memory(err);
    if (rc == BW_OK)
        rc = set_texts(iteration, opts, scheduler->id, err);
    json_decref(opts);
    return rc;
}

int bw_iteration_first(struct bw_iteration *iteration, bool *due,
                       const struct bw_scheduler *scheduler, struct bw_wall now,
                       struct bw_error *err)
{
    json_t *repeat;
    int rc = check(scheduler, now, err);

    memset(iteration, 0, sizeof(*iteration));
    *due = false;
    if (rc != BW_OK)
        return rc;
    repeat = make_repeat(scheduler);
    if (repeat == NULL)
        return no_memory(err);
    rc = first_time(iteration, due, scheduler, repeat, now, err);
    if (rc == BW_OK && *due)
        rc = first_texts(iteration, scheduler, repeat, now, err);
    json_decref(repeat);
    if (rc != BW_OK)
        bw_iteration_fini(iteration);
    return rc;
}

/* --- legacy repeatables: "name:jobId:endDate:tz:(pattern|every)" */

bool bw_is_legacy_repeat(const char *key)
{
    const char *part[5];
    const char *at = key;

    for (size_t i = 0; i < 5; i++) {
        part[i] = at;
        at = strchr(at, ':');
        if (at == NULL && i < 4)
            return false;
        if (at != NULL)
            at++;
    }
    if (strspn(part[2], "0123456789") != (size_t)(part[3] - part[2]) - 1)
        return false; /* endDate */
    return *part[4] != '\0' && (strchr(part[4], ' ') != NULL ||
                                strspn(part[4], "0123456789") == strlen(part[4]));
}

static int add_md5(struct bw_buf *out, const char *text, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size;
    int rc = EVP_Digest(text, len, digest, &size, EVP_md5(), NULL) == 1 ? BW_OK
                                                                        : BW_EUNSUPPORTED;

    for (unsigned i = 0; rc == BW_OK && i < size; i++)
        rc = bw_buf_addf(out, "%02x", digest[i]);
    return rc;
}

/* `data.id`, where a producer has put one, is part of the id. */
static int add_data_id(struct bw_buf *out, const struct bw_job_data *job)
{
    json_t *data = json_loadb(job->data.data != NULL ? job->data.data : "", job->data.len,
                              JSON_DECODE_ANY, NULL);
    const json_t *id = json_object_get(data, "id");
    int rc = BW_OK;

    if (json_is_string(id))
        rc = bw_buf_add_str(out, json_string_value(id));
    else if (json_is_integer(id) && json_integer_value(id) != 0)
        rc = bw_buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
    json_decref(data);
    return rc;
}

/* repeat:<md5(name + data.id + md5(key))>: */
static int make_legacy_prefix(struct bw_iteration *iteration,
                              const struct bw_job_data *job)
{
    struct bw_buf seed = BW_BUF_INIT, prefix = BW_BUF_INIT;
    int rc = bw_buf_add(&seed, job->name.data, job->name.len);

    if (rc == BW_OK)
        rc = add_data_id(&seed, job);
    if (rc == BW_OK)
        rc = add_md5(&seed, job->repeat_key.data, job->repeat_key.len);
    if (rc == BW_OK)
        rc = bw_buf_add_str(&prefix, "repeat:");
    if (rc == BW_OK)
        rc = add_md5(&prefix, bw_buf_text(&seed), seed.len);
    if (rc == BW_OK)
        rc = bw_buf_add_char(&prefix, ':');
    if (rc == BW_OK)
        iteration->legacy_prefix = bw_buf_take(&prefix);
    bw_buf_fini(&seed);
    bw_buf_fini(&prefix);
    return rc;
}

static int set_legacy(struct bw_iteration *iteration, const struct bw_job_data *job,
                      int64_t after, struct bw_error *err)
{
    int rc;

    if (!bw_is_legacy_repeat(job->repeat_key.data))
        return BW_OK;
    rc = make_legacy_prefix(iteration, job);
    if (rc != BW_OK)
        return bw_error_set(err, rc, "scheduler: no MD5 for a legacy repeatable");
    if (iteration->has_every)
        iteration->legacy_next =
            (int64_t)(floor((double)after / iteration->every) * iteration->every +
                      iteration->every);
    else
        iteration->legacy_next = iteration->next;
    return BW_OK;
}

/* --- the next iteration */

static int next_time(struct bw_iteration *iteration, bool *due, const json_t *repeat,
                     const char *sid, int64_t prev_millis, struct bw_wall now,
                     struct bw_error *err)
{
    int64_t limit = get_ms(repeat, "limit"), end = get_ms(repeat, "endDate");

    *due = (limit <= 0 || get_ms(repeat, "count") + 1 <= limit) &&
           (end == 0 || now.ms <= end);
    iteration->every = get_number(repeat, "every", 0);
    iteration->offset = get_number(repeat, "offset", 0);
    iteration->has_every = iteration->every >= 1;
    if (!*due || iteration->has_every || get_text(repeat, "pattern") == NULL)
        return BW_OK;
    iteration->has_next = true;
    return find_next(repeat, sid, later(now.ms, prev_millis), &iteration->next, due, err);
}

/* A job's options are complete but for those of a scheduler's first iteration. */
static int complete(json_t *opts)
{
    json_t *backoff = json_object_get(opts, "backoff");

    if (json_is_number(backoff) &&
        json_object_set_new(opts, "backoff",
                            json_pack("{s:s, s:O}", "type", "fixed", "delay", backoff)) !=
            0)
        return BW_ENOMEM;
    if (json_object_get(opts, "attempts") == NULL &&
        json_object_set_new(opts, "attempts", json_integer(0)) != 0)
        return BW_ENOMEM;
    return BW_OK;
}

static int next_opts(json_t *opts, json_t *repeat, struct bw_wall now)
{
    static const char *const renewed[] = { "delay", "jobId", "prevMillis",
                                           "repeatJobKey" };
    json_int_t count = (json_int_t)get_ms(repeat, "count") + 1;

    for (size_t i = 0; i < sizeof(renewed) / sizeof(renewed[0]); i++)
        (void)json_object_del(opts, renewed[i]); /* absent is as good */
    if (json_object_set_new(repeat, "count", json_integer(count)) != 0 ||
        json_object_set_new(opts, "timestamp", json_integer(now.ms)) != 0)
        return BW_ENOMEM;
    return complete(opts);
}

static json_t *load_opts(const struct bw_job_data *job)
{
    json_t *opts =
        json_loadb(job->opts.data != NULL ? job->opts.data : "", job->opts.len, 0, NULL);

    if (!json_is_object(opts)) {
        json_decref(opts);
        opts = json_object();
    }
    if (opts != NULL && !json_is_object(json_object_get(opts, "repeat")) &&
        json_object_set_new(opts, "repeat", json_object()) != 0) {
        json_decref(opts);
        return NULL;
    }
    return opts;
}

int bw_iteration_next(struct bw_iteration *iteration, bool *due,
                      const struct bw_job_data *job, struct bw_wall now,
                      struct bw_error *err)
{
    json_t *opts = load_opts(job), *repeat;
    int64_t prev_millis;
    int rc;

    memset(iteration, 0, sizeof(*iteration));
    *due = false;
    if (opts == NULL)
        return no_memory(err);
    repeat = json_object_get(opts, "repeat");
    prev_millis = get_ms(opts, "prevMillis");
    rc = next_time(iteration, due, repeat, job->repeat_key.data, prev_millis, now, err);
    if (rc == BW_OK && *due)
        rc = set_legacy(iteration, job, later(now.ms, prev_millis), err);
    if (rc == BW_OK && *due && next_opts(opts, repeat, now) != BW_OK)
        rc = no_memory(err);
    if (rc == BW_OK && *due)
        rc = set_texts(iteration, opts, job->repeat_key.data, err);
    json_decref(opts);
    if (rc != BW_OK)
        bw_iteration_fini(iteration);
    return rc;
}

void bw_iteration_fini(struct bw_iteration *iteration)
{
    free(iteration->opts);
    free(iteration->quoted_sid);
    free(iteration->legacy_prefix);
    free(iteration->template_opts);
    memset(iteration, 0, sizeof(*iteration));
}
