/* The daemon's configuration: a JSON file, overridden by the environment, overridden by
 * flags.
 *
 * Read whole, checked whole, then constant. One thread. Texts and JSON values are owned
 * by the struct. Secrets (URLs, passwords, tokens) are in it: nothing here ever prints
 * them. */
#ifndef WORKER_CONFIG_H
#define WORKER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/redis.h>
#include <bulwark/worker.h>

#include "handlers/handler.h"

#define WK_HTTP_LISTEN "127.0.0.1:9464"

enum wk_log_format { WK_LOG_AUTO, WK_LOG_TEXT, WK_LOG_JSON };

struct wk_handler_config {
    const struct wk_handler_type *type; /* NULL: not given */
    json_t *settings;                   /* the handler object, or NULL for a plain name */
};

struct wk_queue_config {
    char *name;
    char *worker_name;
    char *group_key; /* the paths with '|' between them */
    struct bw_queue_options
        options; /* borrows its texts from here and from the configuration */
    struct wk_handler_config handler;
};

struct wk_queue_list {
    struct wk_queue_config *items;
    size_t count;
};

struct wk_config {
    struct {
        char *url;
        char *ca_file;
        int64_t connect_timeout; /* ms */
    } redis;
    struct { /* as the Node services set them; worker/workflow/spec/workflow.md §10.1 */
        char *url;
        char *host, *port, *username, *password, *db, *tls;
    } redis_env;
    char *prefix;
    struct {
        char *url;            /* NULL: none */
        unsigned connections; /* 0: as the URL says */
    } database;
    struct {
        char *api_url; /* NULL: Telegram's own */
        char *proxy_url;
    } telegram;
    struct {
        char *listen;  /* NULL: WK_HTTP_LISTEN, if it is free; "off": none */
        char *token;   /* NULL: none */
        json_t *hosts; /* texts; NULL: the names of this machine on loopback */
    } http;
    struct {
        enum bw_log_level level;
        enum wk_log_format format;
    } log;
    int64_t shutdown_timeout; /* ms */
    unsigned processors;
    unsigned concurrency; /* 0, or what environment and flags lay on every queue */
    struct {              /* a queue without a file: --exec, --queue */
        json_t *exec;     /* the handler object, or NULL */
        char *queue;
    } quick;
    json_t *workflow; /* the engine's own settings, or NULL */
    struct wk_queue_list queues;

    /* What follows from the above. */
    struct bw_redis_options queue_redis;
    struct bw_redis_options cache_redis;
    json_t *source; /* the file, or NULL */
    /* A line for each thing that is ignored, or will hardly be meant so. */
    struct bw_buf notes;
};

void wk_config_fini(struct wk_config *config);

/* A queue of the configuration needs this. */
bool wk_config_needs_pg(const struct wk_config *config);
bool wk_config_needs_telegram(const struct wk_config *config);
bool wk_config_needs_cache(const struct wk_config *config);

/* JSON lines or text: what the configuration says, else text on a terminal. */
bool wk_config_logs_json(const struct wk_config *config, int fd);

/* --- for those who fill it in */

/* Adds a line to the notes: what, and why. No secrets. */
BW_MUSTCHECK int wk_config_note(struct wk_config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

BW_MUSTCHECK int wk_log_level_parse(const char *text, enum bw_log_level *out);
BW_MUSTCHECK int wk_log_format_parse(const char *text, enum wk_log_format *out);

#endif
