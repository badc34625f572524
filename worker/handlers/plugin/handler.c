#include "handlers/plugin/handler.h"

#include <stdlib.h>
#include <string.h>

#include "base/schema.h"
#include "handlers/plugin/load.h"
#include "base/version.h"

struct instance { /* a queue's */
    struct wk_plugin plugin;
    struct bw_plugin_host host;
    struct bw_log log;
    void *state; /* the plugin's own */
};

/* ---- settings */

static const struct wk_field fields[] = {
    { .key = "plugin",
      .kind = WK_CUSTOM,
      .help = "the shared object, as dlopen(3) takes it, relative to the working "
              "directory" },
    { .key = "config", .kind = WK_CUSTOM, .help = "any JSON, handed to it [{}]" },
};
static const struct wk_schema plugin_schema = { fields,
                                                sizeof fields / sizeof fields[0] };

static int plugin_check(const json_t *settings, struct bw_error *err)
{
    const json_t *path = json_object_get(settings, "plugin");
    const char *key;
    json_t *value;

    if (settings == NULL)
        return bw_error_set(err, BW_EINVAL,
                            ": a plugin needs its file: {\"plugin\": \"./libx.so\"}");
    if (!json_is_string(path) || json_string_length(path) == 0 ||
        strlen(json_string_value(path)) != json_string_length(path))
        return bw_error_set(err, BW_EINVAL,
                            ".plugin: must be the path of a shared object");
    json_object_foreach((json_t *)settings, key, value)
    {
        if (wk_schema_find(&plugin_schema, key) == NULL)
            return bw_error_set(err, BW_EINVAL,
                                ".%.64s: unknown key, known are \"plugin\" and "
                                "\"config\"",
                                key);
    }
    return BW_OK;
}

/* The text for `init`; free() it. */
static char *config_text(const json_t *settings)
{
    const json_t *config = json_object_get(settings, "config");

    return config == NULL ? strdup("{}")
                          : json_dumps(config, JSON_COMPACT | JSON_ENCODE_ANY);
}

static int load(const json_t *settings, struct wk_plugin *out, struct bw_error *err)
{
    int rc = plugin_check(settings, err);

    if (rc != BW_OK)
        return rc;
    rc = wk_plugin_load(json_string_value(json_object_get(settings, "plugin")), out, err);
    return rc == BW_OK ? BW_OK : bw_error_prefix(err, "plugin");
}

static int plugin_probe(const json_t *settings, struct bw_error *err)
{
    struct wk_plugin plugin;

    return load(settings, &plugin, err);
}

/* ---- life */

/* What a plugin returns is foreign: only negative codes are failures we know. */
static int init(struct instance *instance, const json_t *settings, struct bw_error *err)
{
    const struct wk_plugin *plugin = &instance->plugin;
    struct bw_error own = { 0 };
    char *config;
    int rc;

    if (plugin->init == NULL)
        return BW_OK;
    config = config_text(settings);
    if (config == NULL)
        return bw_error_set(err, BW_ENOMEM, "plugin: out of memory");
    rc = plugin->init(config, &instance->host, &instance->state, &own);
    free(config);
    if (rc == BW_OK)
        return BW_OK;
    return bw_error_set(err, rc < 0 ? rc : BW_ESYSTEM, "plugin %.64s: %.300s",
                        plugin->name,
                        own.text[0] != '\0' ? own.text : "init failed without a reason");
}

static int plugin_create(const struct wk_handler_env *env, const json_t *settings,
                         void **out, struct bw_error *err)
{
    struct instance *instance = calloc(1, sizeof *instance);
    int rc;

    if (instance == NULL)
        return bw_error_set(err, BW_ENOMEM, "plugin: out of memory");
    rc = load(settings, &instance->plugin, err);
    if (rc != BW_OK)
        goto fail;
    bw_log_child(&instance->log, env->log, "plugin", instance->plugin.name);
    instance->host = (struct bw_plugin_host){ .abi = BW_PLUGIN_ABI,
                                              .size = sizeof instance->host,
                                              .version = WK_VERSION,
                                              .prefix = env->prefix,
                                              .queue = env->queue,
                                              .concurrency = env->options->concurrency,
                                              .worker = env->worker,
                                              .log = &instance->log };
    rc = init(instance, settings, err);
    if (rc != BW_OK)
        goto fail;
    bw_log(&instance->log, BW_LOG_INFO, "plugin loaded",
           bw_text("version", instance->plugin.version != NULL ? instance->plugin.version
                                                               : "unknown"));
    *out = instance;
    return BW_OK;
fail:
    free(instance);
    return rc;
}

static bool plugin_stop(void *arg, int64_t timeout_ms)
{
    struct instance *instance = arg;

    return instance->plugin.stop == NULL ||
           instance->plugin.stop(instance->state, timeout_ms);
}

static void plugin_destroy(void *arg)
{
    struct instance *instance = arg;

    if (instance->plugin.fini != NULL)
        instance->plugin.fini(instance->state);
    free(instance);
}

/* ---- jobs */

static void plugin_process(struct bw_job *job, void *arg)
{
    struct instance *instance = arg;

    instance->plugin.process(job, instance->state);
}

static void plugin_cancel(struct bw_job *job, void *arg)
{
    struct instance *instance = arg;

    if (instance->plugin.cancel != NULL)
        instance->plugin.cancel(job, instance->state);
}

static void plugin_event(const struct bw_event *event, void *arg)
{
    struct instance *instance = arg;

    if (instance->plugin.event != NULL)
        instance->plugin.event(event, instance->state);
}

const struct wk_handler_type plugin_handler_type = {
    .name = "plugin",
    .settings = &plugin_schema,
    .check = plugin_check,
    .probe = plugin_probe,
    .create = plugin_create,
    .handler = { .process = plugin_process,
                 .cancel = plugin_cancel,
                 .event = plugin_event },
    .stop = plugin_stop,
    .destroy = plugin_destroy,
};
