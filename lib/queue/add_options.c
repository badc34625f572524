/* A producer's options: from their public spelling to what is stored. lib/spec/bullmq.md
 * §2.3 */
#include "queue/add_options.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/json_check.h"

#define PRIORITY_MAX 2097151 /* 21 bits: the score has 53 and the counter takes 32 */
#define TIME_MAX     9.0e15  /* ms; exact as a double */

/* Public names whose stored name is another. */
static const struct {
    const char *public, *stored;
} renamed[] = {
    { "keepLogs", "kl" },
    { "failParentOnFailure", "fpof" },
    { "continueParentOnFailure", "cpof" },
    { "ignoreDependencyOnFailure", "idof" },
    { "removeDependencyOnFailure", "rdof" },
    { "deduplication", "de" },
};

/* What a child's failure means to its parent; at most one of them. */
static const char *const dependency_options[] = { "fpof", "cpof", "idof", "rdof" };

static const char *stored_name(const char *name)
{
    for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++) {
        if (strcmp(renamed[i].public, name) == 0)
            return renamed[i].stored;
    }
    return name;
}

const char *bw_option_public_name(const char *stored)
{
    for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++) {
        if (strcmp(renamed[i].stored, stored) == 0)
            return renamed[i].public;
    }
    return stored;
}

static int no_memory(struct bw_error *err)
{
    return bw_error_set(err, BW_ENOMEM, "options: out of memory");
}

/* §2.3 telemetry: its parts are stored on their own. */
static int store_telemetry(json_t *stored, json_t *telemetry)
{
    json_t *metadata = json_object_get(telemetry, "metadata");
    json_t *omit = json_object_get(telemetry, "omitContext");

    if (metadata != NULL && json_object_set(stored, "tm", metadata) != 0)
        return BW_ENOMEM;
    if (omit != NULL && json_object_set(stored, "omc", omit) != 0)
        return BW_ENOMEM;
    return BW_OK;
}

/* A bare number means fixed. */
static int store_backoff(json_t *stored, json_t *backoff)
{
    json_t *object = json_is_number(backoff)
                         ? json_pack("{s:s, s:O}", "type", "fixed", "delay", backoff)
                         : json_incref(backoff);

    return json_object_set_new(stored, "backoff", object) == 0 ? BW_OK : BW_ENOMEM;
}

/* `as_given`: without what a job's own options are completed by. */
static int store_members(json_t *stored, json_t *given, bool as_given)
{
    const char *name;
    json_t *value;
    int rc = BW_OK;

    json_object_foreach(given, name, value)
    {
        if (json_is_null(value) || strcmp(name, "repeatJobKey") == 0)
            continue;
        if (strcmp(name, "telemetry") == 0)
            rc = store_telemetry(stored, value);
        else if (strcmp(name, "backoff") == 0 && !as_given)
            rc = store_backoff(stored, value);
        else if (json_object_set(stored, stored_name(name), value) != 0)
            rc = BW_ENOMEM;
        if (rc != BW_OK)
            return rc;
    }
    if (!as_given && json_object_get(stored, "attempts") == NULL &&
        json_object_set_new(stored, "attempts", json_integer(0)) != 0)
        return BW_ENOMEM;
    return BW_OK;
}

static int check_backoff(const json_t *stored, struct bw_error *err)
{
    const json_t *jitter = json_object_get(json_object_get(stored, "backoff"), "jitter");
    double value = json_number_value(jitter);

    if (jitter != NULL && (!json_is_number(jitter) || value < 0 || value > 1))
        return bw_error_set(err, BW_EINVAL, "backoff.jitter: must be between 0 and 1");
    return BW_OK;
}

static int check_priority(const json_t *stored, struct bw_error *err)
{
    const json_t *priority = json_object_get(stored, "priority");
    double value = json_number_value(priority);

    if (priority == NULL)
        return BW_OK;
    if (!json_is_number(priority) || value != floor(value))
        return bw_error_set(err, BW_EINVAL, "priority: must be an integer");
    if (value > PRIORITY_MAX)
        return bw_error_set(err, BW_EINVAL, "priority: must be at most %d", PRIORITY_MAX);
    if (value < -PRIORITY_MAX) /* BullMQ takes any; the score would lose its sequence */
        return bw_error_set(err, BW_EINVAL, "priority: must be at least %d",
                            -PRIORITY_MAX);
    return BW_OK;
}

static int check_dependency_options(const json_t *stored, struct bw_error *err)
{
    int set = 0;

    for (size_t i = 0; i < sizeof(dependency_options) / sizeof(dependency_options[0]);
         i++)
        set += json_is_true(json_object_get(stored, dependency_options[i]));
    if (set > 1)
        return bw_error_set(
            err, BW_EINVAL,
            "failParentOnFailure, continueParentOnFailure, "
            "ignoreDependencyOnFailure, removeDependencyOnFailure: only one");
    return BW_OK;
}

static int check_deduplication(const json_t *stored, struct bw_error *err)
{
    const json_t *dedup = json_object_get(stored, "de");
    const char *id = json_string_value(json_object_get(dedup, "id"));

    if (json_object_get(stored, "debounce") != NULL)
        return bw_error_set(err, BW_EINVAL, "debounce: use deduplication");
    if (dedup == NULL)
        return BW_OK;
    if (id == NULL || *id == '\0')
        return bw_error_set(err, BW_EINVAL, "deduplication.id: must not be empty");
    if (json_object_get(stored, "parent") != NULL)
        return bw_error_set(err, BW_EINVAL, "deduplication: not together with parent");
    return BW_OK;
}

static int check_size(const json_t *stored, const struct bw_add *add,
                      struct bw_error *err)
{
    const json_t *limit = json_object_get(stored, "sizeLimit");
    size_t len = add->data != NULL ? add->data_len : 2;

    if (json_is_number(limit) && (double)len > json_number_value(limit))
        return bw_error_set(err, BW_EINVAL, "data: larger than sizeLimit (%zu bytes)",
                            len);
    return BW_OK;
}

/* Every worker that reads it would choke on it. */
static int check_data(const struct bw_add *add, struct bw_error *err)
{
    size_t byte;

    if (add->data == NULL || bw_json_check_at(add->data, add->data_len, &byte))
        return BW_OK;
    return bw_error_set(err, BW_EINVAL, "data: not JSON, byte %zu", byte);
}

static int check_name(const struct bw_add *add, struct bw_error *err)
{
    if (add->name != NULL)
        return BW_OK;
    return bw_error_set(err, BW_EINVAL, "name: must be given");
}

static int check_all(const json_t *stored, const struct bw_add *add, struct bw_error *err)
{
    int rc = check_data(add, err);

    if (rc == BW_OK)
        rc = check_priority(stored, err);
    if (rc == BW_OK)
        rc = check_backoff(stored, err);
    if (rc == BW_OK)
        rc = check_dependency_options(stored, err);
    if (rc == BW_OK)
        rc = check_deduplication(stored, err);
    if (rc == BW_OK)
        rc = check_size(stored, add, err);
    return rc;
}

/* Whole milliseconds; what is no number counts as `otherwise` (Appendix C). */
static int64_t get_ms(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_number(value))
        return otherwise;
    return (int64_t)fmax(-TIME_MAX, fmin(json_number_value(value), TIME_MAX));
}

static int take_job_id(struct bw_add_options *options, const json_t *stored,
                       struct bw_error *err)
{
    const json_t *value = json_object_get(stored, "jobId");
    const char *id = json_string_value(value);

    if (value == NULL || (id != NULL && *id == '\0'))
        return BW_OK; /* the empty one means none */
    if (id == NULL)
        return bw_error_set(err, BW_EINVAL, "jobId: must be a string");
    int rc = bw_job_id_check(id, err);

    if (rc != BW_OK)
        return rc;
    options->job_id = bw_strdup(id);
    return options->job_id != NULL ? BW_OK : no_memory(err);
}

/* The `parent` field carries the dependency option: finishing reads it there. */
static json_t *make_parent(const json_t *stored, const char *id, const char *queue)
{
    json_t *parent = json_pack("{s:s, s:s}", "id", id, "queueKey", queue);

    for (size_t i = 0; i < sizeof(dependency_options) / sizeof(dependency_options[0]);
         i++) {
        const char *name = dependency_options[i];

        if (json_is_true(json_object_get(stored, name)) &&
            json_object_set_new(parent, name, json_true()) != 0) {
            json_decref(parent);
            return NULL;
        }
    }
    return parent;
}

static int take_parent(struct bw_add_options *options, const json_t *stored,
                       struct bw_error *err)
{
    const json_t *value = json_object_get(stored, "parent");
    const char *id = json_string_value(json_object_get(value, "id"));
    const char *queue = json_string_value(json_object_get(value, "queue"));

    if (value == NULL)
        return BW_OK;
    if (id == NULL || queue == NULL || *id == '\0' || *queue == '\0')
        return bw_error_set(err, BW_EINVAL, "parent: needs id and queue");
    size_t size = strlen(id) + strlen(queue) + 2;
    json_t *parent = make_parent(stored, id, queue);

    if (parent != NULL)
        options->parent = json_dumps(parent, JSON_COMPACT);
    json_decref(parent);
    options->parent_key = bw_alloc(size);
    if (options->parent == NULL || options->parent_key == NULL)
        return no_memory(err);
    (void)snprintf(options->parent_key, size, "%s:%s", queue, id);
    return BW_OK;
}

static int take_deduplication(struct bw_add_options *options, const json_t *stored,
                              struct bw_error *err)
{
    static const struct {
        const char *name;
        char letter;
    } modes[] = { { "extend", 'e' },
                  { "replace", 'r' },
                  { "keepLastIfActive", 'k' },
                  { "reschedule", 's' } };
    const json_t *dedup = json_object_get(stored, "de");
    size_t len = 0;

    if (dedup == NULL)
        return BW_OK;
    options->dedup_id = bw_strdup(json_string_value(json_object_get(dedup, "id")));
    if (options->dedup_id == NULL)
        return no_memory(err);
    options->dedup_ttl = get_ms(dedup, "ttl", 0);
    if (options->dedup_ttl < 0)
        options->dedup_ttl = 0;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (json_is_true(json_object_get(dedup, modes[i].name)))
            options->dedup_modes[len++] = modes[i].letter;
    }
    return BW_OK;
}

static int take_stored(struct bw_add_options *options, const json_t *stored,
                       struct bw_wall now, struct bw_error *err)
{
    options->timestamp = get_ms(stored, "timestamp", now.ms);
    options->delay = get_ms(stored, "delay", 0);
    options->priority = get_ms(stored, "priority", 0);
    options->lifo = json_is_true(json_object_get(stored, "lifo"));
    /* 14 digits: what the reference keeps of a number (§2.2) */
    options->stored = json_dumps(stored, JSON_COMPACT | JSON_REAL_PRECISION(14));
    if (options->stored == NULL)
        return no_memory(err);
    int rc = take_job_id(options, stored, err);

    if (rc == BW_OK)
        rc = take_parent(options, stored, err);
    if (rc == BW_OK)
        rc = take_deduplication(options, stored, err);
    return rc;
}

static int load(json_t **given, const struct bw_add *add, struct bw_error *err)
{
    json_error_t why;

    if (add->opts == NULL) {
        *given = json_object();
        return *given != NULL ? BW_OK : no_memory(err);
    }
    *given = json_loadb(add->opts, add->opts_len, 0, &why);
    if (*given == NULL)
        return bw_error_set(err, BW_EINVAL, "options: byte %d: %s", why.position,
                            why.text);
    if (!json_is_object(*given)) {
        json_decref(*given);
        *given = NULL;
        return bw_error_set(err, BW_EINVAL, "options: must be a JSON object");
    }
    return BW_OK;
}

/* The parent that a node has in its flow. */
static int store_place(json_t *stored, const struct bw_add_place *place,
                       struct bw_error *err)
{
    if (place->has_children && json_object_get(stored, "de") != NULL)
        return bw_error_set(err, BW_EINVAL, "deduplication: not of a job with children");
    if (place->parent_id != NULL &&
        json_object_set_new(stored, "parent",
                            json_pack("{s:s, s:s}", "id", place->parent_id, "queue",
                                      place->parent_queue)) != 0)
        return no_memory(err);
    return BW_OK;
}

int bw_add_options_parse(struct bw_add_options *options, const struct bw_add *add,
                         struct bw_wall now, struct bw_error *err)
{
    static const struct bw_add_place alone = { 0 };

    return bw_add_options_parse_node(options, add, now, &alone, err);
}

int bw_add_options_parse_node(struct bw_add_options *options, const struct bw_add *add,
                              struct bw_wall now, const struct bw_add_place *place,
                              struct bw_error *err)
{
    json_t *given = NULL, *stored = NULL;
    int rc;

    memset(options, 0, sizeof(*options));
    rc = check_name(add, err);
    if (rc == BW_OK)
        rc = load(&given, add, err);
    if (rc != BW_OK)
        return rc;
    stored = json_object();
    if (stored == NULL || store_members(stored, given, false) != BW_OK) {
        rc = no_memory(err);
        goto out;
    }
    options->has_children = place->has_children;
    rc = store_place(stored, place, err);
    if (rc == BW_OK)
        rc = check_all(stored, add, err);
    if (rc == BW_OK)
        rc = take_stored(options, stored, now, err);
    if (rc == BW_OK && options->job_id == NULL && place->id != NULL) {
        options->job_id = bw_strdup(place->id); /* not stored in `opts` */
        if (options->job_id == NULL)
            rc = no_memory(err);
    }
out:
    json_decref(given);
    json_decref(stored);
    if (rc != BW_OK)
        bw_add_options_fini(options);
    return rc;
}

int bw_add_options_template(json_t **storedp, const struct bw_add *add,
                            struct bw_error *err)
{
    json_t *given = NULL, *stored = NULL;
    int rc = load(&given, add, err);

    if (rc != BW_OK)
        return rc;
    stored = json_object();
    if (stored == NULL || store_members(stored, given, true) != BW_OK)
        rc = no_memory(err);
    else
        rc = check_all(stored, add, err);
    json_decref(given);
    if (rc != BW_OK)
        json_decref(stored);
    else
        *storedp = stored;
    return rc;
}

void bw_add_options_fini(struct bw_add_options *options)
{
    free(options->stored);
    free(options->job_id);
    free(options->parent_key);
    free(options->parent);
    free(options->dedup_id);
    memset(options, 0, sizeof(*options));
}
