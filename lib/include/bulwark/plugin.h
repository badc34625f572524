/* A handler in a shared object: what the daemon and a plugin agree on.
 *
 * A queue of the daemon with `"handler": {"plugin": "./libresize.so", "config": {…}}`
 * loads the object, calls its one exported function and from then on what that returned.
 * A plugin answers its jobs by the functions of job.h, which, like all others of the
 * library, it finds in the daemon: it is compiled against these headers and linked with
 * nothing (`pkg-config --cflags bulwark-plugin`, the CMake target bulwark::plugin). One
 * that is linked with libbulwark all the same binds to the daemon's functions, too.
 *
 * Life of an instance, one a queue: init → process* (cancel*, event*) → stop → fini. The
 * object is never unloaded.
 *
 * Compatibility: BW_PLUGIN_ABI counts incompatible changes of this header or of anything
 * a plugin can reach from it; the daemon refuses any other number. What is added at the
 * end of a struct does not change it: `size` tells what the other side knows. */
#ifndef BULWARK_PLUGIN_H
#define BULWARK_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/job.h>
#include <bulwark/log.h>
#include <bulwark/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BW_PLUGIN_ABI 1u

/* The daemon, as one queue sees it. All borrowed; alive until `fini` has returned. */
struct bw_plugin_host {
    uint32_t abi;             /* BW_PLUGIN_ABI of the daemon */
    uint32_t size;            /* sizeof(struct bw_plugin_host) there */
    const char *version;      /* of the daemon, e.g. "0.1.0" */
    const char *prefix;       /* of the queue's keys, e.g. "bull" */
    const char *queue;        /* its name */
    unsigned concurrency;     /* the most jobs in flight at once */
    struct bw_worker *worker; /* for bw_worker_post(), bw_worker_post_after() only */
    const struct bw_log *log; /* names the queue */
};

struct bw_plugin {
    uint32_t abi;        /* BW_PLUGIN_ABI */
    uint32_t size;       /* sizeof(struct bw_plugin) */
    const char *name;    /* for the log; required */
    const char *version; /* for the log; NULL: none */

    /* Optional: a new instance for one queue. `config` is the JSON text of the queue's
     * "config", "{}" without one; borrowed for the call. Must not wait for anything:
     * whatever it needs may be away. On failure it returns a negative code of error.h
     * with a text in `err` and owns nothing; BW_EINVAL says that the configuration is
     * wrong. */
    int (*init)(const char *config, const struct bw_plugin_host *host, void **instance,
                struct bw_error *err);

    /* Takes a job and answers it exactly once, now or later, from any thread (job.h). On
     * a processor thread, as many at once as there are such threads: it may block. */
    void (*process)(struct bw_job *job, void *instance);

    /* Optional: the job should stop. As `cancel` of struct bw_handler (worker.h): on the
     * reactor, must not block, must not answer from inside. */
    void (*cancel)(struct bw_job *job, void *instance);

    /* Optional, for plugins that answer later or have threads of their own: the worker
     * has ended, no job comes any more. Blocks until nothing of the instance runs or
     * holds a job, at most `timeout_ms`; false: something is left, then `fini` is not
     * called and the daemon ends without tearing down. */
    bool (*stop)(void *instance, int64_t timeout_ms);

    /* Optional: the end of the instance, after every call of `process` has returned. */
    void (*fini)(void *instance);

    /* Optional: what happens to the queue and its jobs. As `event` of struct bw_handler
     * (worker.h): on the reactor, must not block. */
    void (*event)(const struct bw_event *event, void *instance);
};

/* The one function a plugin exports. The table is constant, as long as the object is
 * loaded. */
BW_API const struct bw_plugin *bulwark_plugin_entry(void);

#ifdef __cplusplus
}
#endif

#endif
