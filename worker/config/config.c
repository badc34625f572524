#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/rows.h"

/* ---- its end */

/* Of the rows the texts alone own something by themselves. */
#define END(kind, member, key, def, when, help) free(owner->member);
#define NOTHING(...)

static void end_queue(struct wk_queue_config *owner)
{
    WK_QUEUE_ROWS(END, NOTHING, NOTHING)
    free(owner->group_key);
    json_decref(owner->handler.settings);
}

void wk_config_fini(struct wk_config *config)
{
    struct wk_config *owner = config;

    for (size_t i = 0; i < config->queues.count; i++)
        end_queue(&config->queues.items[i]);
    free(config->queues.items);
    WK_CONFIG_ROWS(END, NOTHING, NOTHING)
    free(config->redis_env.url);
    free(config->redis_env.host);
    free(config->redis_env.port);
    free(config->redis_env.username);
    free(config->redis_env.password);
    free(config->redis_env.db);
    free(config->redis_env.tls);
    bw_buf_fini(&config->notes);
    bw_redis_options_fini(&config->queue_redis);
    bw_redis_options_fini(&config->cache_redis);
    json_decref(config->quick.exec);
    free(config->quick.queue);
    json_decref(config->workflow);
    json_decref(config->http.hosts);
    json_decref(config->source);
    *config = (struct wk_config){ 0 };
}

/* ---- questions */

#define NEEDS(what)                                                                      \
    bool wk_config_needs_##what(const struct wk_config *config)                          \
    {                                                                                    \
        for (size_t i = 0; i < config->queues.count; i++) {                              \
            if (config->queues.items[i].handler.type->needs_##what)                      \
                return true;                                                             \
        }                                                                                \
        return false;                                                                    \
    }
NEEDS(pg)
NEEDS(telegram)
NEEDS(cache)
#undef NEEDS

bool wk_config_logs_json(const struct wk_config *config, int fd)
{
    if (config->log.format == WK_LOG_AUTO)
        return isatty(fd) == 0;
    return config->log.format == WK_LOG_JSON;
}

/* ---- for those who fill it in */

static const char *const level_names[] = { "debug", "info", "warning", "error" };
static const char *const format_names[] = { "auto", "text", "json" };

static int word_index(const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    }
    return -1;
}

int wk_log_level_parse(const char *text, enum bw_log_level *out)
{
    int index = word_index(text, level_names, 4);

    if (index < 0)
        return BW_EINVAL;
    *out = (enum bw_log_level)index;
    return BW_OK;
}

int wk_log_format_parse(const char *text, enum wk_log_format *out)
{
    int index = word_index(text, format_names, 3);

    if (index < 0)
        return BW_EINVAL;
    *out = (enum wk_log_format)index;
    return BW_OK;
}

int wk_config_note(struct wk_config *config, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return bw_buf_addf(&config->notes, "%s\n", text);
}
