/* Shared objects with a handler in them: found, loaded, and held to what plugin.h says.
 *
 * Any thread. What was loaded stays loaded until the program ends: a thread or an exit
 * handler of the object may outlive whoever asked for it. */
#ifndef WORKER_HANDLERS_PLUGIN_LOAD_H
#define WORKER_HANDLERS_PLUGIN_LOAD_H

#include <stdint.h>

#include <bulwark/error.h>
#include <bulwark/plugin.h>

struct wk_plugin { /* the parts of the object's table that both sides know */
    const char *name;
    const char *version; /* NULL: none */
    int (*init)(const char *config, const struct bw_plugin_host *host, void **instance,
                struct bw_error *err);
    void (*process)(struct bw_job *job, void *instance);
    void (*cancel)(struct bw_job *job, void *instance);
    bool (*stop)(void *instance, int64_t timeout_ms);
    void (*fini)(void *instance);
    void (*event)(const struct bw_event *event, void *instance); /* NULL: none */
};

/* `path` as dlopen(3) takes it: with a slash it is a file, relative to the working
 * directory; without one it is looked for where the system has its libraries. Runs the
 * object's constructors and its entry. Errors: BW_EINVAL when it is not there, not a
 * plugin, or made for another ABI (the text names both); the path is in the text. */
BW_MUSTCHECK int wk_plugin_load(const char *path, struct wk_plugin *out,
                                struct bw_error *err);

#endif
