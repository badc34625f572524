/* What a queue's handler object says about its program.
 *
 * {"exec": ["node", "emails.js"], "processes": 2, "events": false, …}; the keys and their
 * defaults are in settings.c. Owned by the struct, constant once read. */
#ifndef WORKER_HANDLERS_EXEC_SETTINGS_H
#define WORKER_HANDLERS_EXEC_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include <bulwark/api.h>
#include <bulwark/error.h>

struct ex_settings {
    char **argv; /* NULL ended */
    char **envp; /* NULL ended: the variables that are passed on and are set */
    int64_t processes;
    int64_t max_line_bytes;
    int64_t start_timeout;
    int64_t kill_grace;
    int64_t healthy_after;
    int64_t limit_memory; /* 0: no limit */
    int64_t limit_cpu;    /* 0: no limit */
    bool events;
    bool share_redis;
    /* The rest follows from "user". */
    bool has_user;
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    size_t group_count;
};

struct wk_schema;

/* A row a key, for help texts. */
extern const struct wk_schema ex_settings_schema;

/* The texts of errors begin with the path inside of the handler object. On failure
 * nothing is owned. BW_EINVAL, BW_ENOMEM. */
BW_MUSTCHECK int ex_settings_read(struct ex_settings *settings, const json_t *object,
                                  struct bw_error *err);
void ex_settings_fini(struct ex_settings *settings);

#endif
