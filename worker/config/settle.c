#include "config/settle.h"

#include <stdlib.h>
#include <string.h>

#include "base/schema.h"
#include "config/config_schema.h"
#include "http/listen.h"
#include "pg/url.h"
#include "telegram/client.h"
#include "workflow/engine/settings.h"

#define IMPLICIT_QUEUE       "workflow-processing"
#define IMPLICIT_DELAYS      "workflow-delays"
#define IMPLICIT_CONCURRENCY 64

/* ---- without queues in the file: the one that teams coming from Node have, and the one
 * on which its workflows put what is to go on later */

static int fill_implicit_queue(struct wk_queue_config *queue, const char *name,
                               struct bw_error *err)
{
    int rc;

    bw_queue_options_init(&queue->options);
    rc = wk_schema_defaults(&wk_queue_schema, queue, err);
    if (rc == BW_OK)
        rc = wk_set_text(&queue->name, name, err);
    if (rc != BW_OK)
        return rc;
    queue->options.concurrency = IMPLICIT_CONCURRENCY;
    queue->handler.type = wk_handler_find("workflow");
    return BW_OK;
}

/* --exec and --queue: the quick start. */
static int add_quick_queue(struct wk_config *config, struct bw_error *err)
{
    struct wk_queue_config *queue;
    int rc;

    if (config->quick.queue == NULL || config->quick.exec == NULL)
        return bw_error_set(err, BW_EINVAL, "--exec and --queue: one needs the other");
    if (config->queues.count > 0)
        return bw_error_set(err, BW_EINVAL,
                            "--exec: the configuration has queues of its own");
    queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    config->queues.items = queue;
    config->queues.count = 1;
    bw_queue_options_init(&queue->options);
    rc = wk_schema_defaults(&wk_queue_schema, queue, err);
    if (rc == BW_OK)
        rc = wk_set_text(&queue->name, config->quick.queue, err);
    if (rc == BW_OK) {
        queue->handler.type = wk_handler_find("exec");
        queue->handler.settings = json_incref(config->quick.exec);
    }
    return rc;
}

static int add_implicit_queues(struct wk_config *config, struct bw_error *err)
{
    static const char *const names[] = { IMPLICIT_QUEUE, IMPLICIT_DELAYS };
    size_t count = sizeof names / sizeof *names;
    struct wk_queue_config *queues = calloc(count, sizeof *queues);
    int rc = BW_OK;

    if (queues == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    config->queues.items = queues;
    config->queues.count = count;
    for (size_t i = 0; rc == BW_OK && i < count; i++)
        rc = fill_implicit_queue(&queues[i], names[i], err);
    return rc;
}

/* ---- checks of the whole */

static int check_queue(const struct wk_config *config, size_t index, struct bw_error *err)
{
    const struct wk_queue_config *queue = &config->queues.items[index];
    const struct bw_queue_options *options = &queue->options;

    if (queue->name == NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].name: is missing", index);
    if (strchr(queue->name, ':') != NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].name: must not contain \":\"",
                            index);
    for (size_t i = 0; i < index; i++) {
        if (strcmp(config->queues.items[i].name, queue->name) == 0)
            return bw_error_set(err, BW_EINVAL,
                                "queues[%zu].name: \"%.100s\" is queues[%zu] already",
                                index, queue->name, i);
    }
    if (queue->handler.type == NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].handler: is missing", index);
    if (queue->handler.type->refusal != NULL)
        return bw_error_set(err, BW_EINVAL, "queues[%zu].handler: \"%s\": %s", index,
                            queue->handler.type->name, queue->handler.type->refusal);
    if ((options->limiter_max == 0) != (options->limiter_duration == 0))
        return bw_error_set(err, BW_EINVAL, "queues[%zu].limiter.%s: is missing", index,
                            options->limiter_max == 0 ? "max" : "duration");
    if ((options->group_rate_max == 0) != (options->group_rate_duration == 0))
        return bw_error_set(err, BW_EINVAL, "queues[%zu].groupRate.%s: is missing", index,
                            options->group_rate_max == 0 ? "max" : "duration");
    if (queue->handler.type->needs_pg && config->database.url == NULL)
        return bw_error_set(
            err, BW_EINVAL,
            "database.url: is missing: queue \"%.100s\" runs workflows; set "
            "it, or DATABASE_URL",
            queue->name);
    return BW_OK;
}

static void settle_queue(struct wk_config *config, struct wk_queue_config *queue)
{
    struct bw_queue_options *options = &queue->options;

    options->name = queue->name;
    options->prefix = config->prefix;
    options->worker_name = queue->worker_name;
    options->group_key = queue->group_key;
    if (config->concurrency != 0)
        options->concurrency = config->concurrency;
    if (options->lock_renew_time == BW_LOCK_RENEW_HALF)
        options->lock_renew_time = options->lock_duration / 2;
}

/* What will work, but hardly as it was meant. */
static int note_options(struct wk_config *config, size_t index)
{
    const struct bw_queue_options *options = &config->queues.items[index].options;
    const struct bw_queue_options *o = options;
    const struct {
        bool holds;
        const char *text;
    } notes[] = {
        { o->max_started_attempts == 0,
          "maxStartedAttempts: 0 fails every job without running it" },
        { o->lock_duration < 1000,
          "lockDuration: below a second locks run out whenever Redis or this machine "
          "pauses" },
        { o->skip_lock_renewal && o->timeout > o->lock_duration,
          "timeout: jobs may take longer than their locks live, which are not renewed "
          "(skipLockRenewal)" },
        { o->group_key == NULL &&
              (o->group_concurrency != 1 || o->group_rate_max != 0 || o->group_strict),
          "groupConcurrency, groupRate, groupStrict are not used: there is no groupKey" },
        { o->group_concurrency > o->concurrency,
          "groupConcurrency: more than concurrency" },
        { o->limiter_max > 0 && o->limiter_duration > 86400000,
          "limiter.duration: more than a day" },
    };

    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        if (notes[i].holds &&
            wk_config_note(config, "queues[%zu].%s", index, notes[i].text) != BW_OK)
            return BW_ENOMEM;
    }
    return BW_OK;
}

/* As the library will judge them. */
static int check_options(struct wk_config *config, size_t index, struct bw_error *err)
{
    struct bw_error inner = { 0 };
    int rc = bw_queue_options_check(&config->queues.items[index].options, &inner);

    if (rc != BW_OK)
        return bw_error_set(err, rc, "queues[%zu].%s", index, inner.text);
    return note_options(config, index) == BW_OK
               ? BW_OK
               : bw_error_set(err, BW_ENOMEM, "out of memory");
}

static int settle_queues(struct wk_config *config, struct bw_error *err)
{
    int rc = BW_OK;

    if (config->quick.exec != NULL || config->quick.queue != NULL)
        rc = add_quick_queue(config, err);
    else if (config->queues.count == 0)
        rc = add_implicit_queues(config, err);
    for (size_t i = 0; rc == BW_OK && i < config->queues.count; i++) {
        rc = check_queue(config, i, err);
        if (rc == BW_OK) {
            settle_queue(config, &config->queues.items[i]);
            rc = check_options(config, i, err);
        }
    }
    return rc;
}

/* ---- what the parts will be made of: each says itself what it takes */

static int check_workflow(const struct wk_config *config, struct bw_error *err)
{
    struct wf_settings settings;
    struct bw_error inner = { 0 };
    int rc;

    if (config->workflow == NULL)
        return BW_OK;
    rc = wf_settings_parse(&settings, config->workflow, &inner);
    if (rc != BW_OK) /* it names itself with a dot before */
        return bw_error_set(err, rc, "%s", inner.text + (inner.text[0] == '.'));
    wf_settings_fini(&settings);
    return BW_OK;
}

static int check_http(const struct wk_config *config, struct bw_error *err)
{
    const char *listen = config->http.listen;

    if (listen == NULL || strcmp(listen, "off") == 0 ||
        http_listen_check(listen, err) == BW_OK)
        return BW_OK;
    return bw_error_prefix(err, "http.listen");
}

static int check_database(const struct wk_config *config, struct bw_error *err)
{
    struct pg_url url;

    if (!wk_config_needs_pg(config))
        return BW_OK;
    if (pg_url_parse(&url, config->database.url, err) != BW_OK)
        return bw_error_prefix(err, "database.url");
    pg_url_fini(&url);
    return BW_OK;
}

static int check_telegram(const struct wk_config *config, struct bw_error *err)
{
    struct tg_options options = { .api_url = config->telegram.api_url,
                                  .proxy_url = config->telegram.proxy_url };

    if (!wk_config_needs_telegram(config) || tg_options_check(&options, err) == BW_OK)
        return BW_OK;
    return bw_error_prefix(err, "telegram");
}

static int check_parts(const struct wk_config *config, struct bw_error *err)
{
    int rc = check_workflow(config, err);

    if (rc == BW_OK)
        rc = check_http(config, err);
    if (rc == BW_OK)
        rc = check_database(config, err);
    if (rc == BW_OK)
        rc = check_telegram(config, err);
    return rc;
}

int wk_config_settle(struct wk_config *config, struct bw_error *err)
{
    int rc = settle_queues(config, err);

    return rc == BW_OK ? check_parts(config, err) : rc;
}
