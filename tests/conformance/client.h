/* Our side of the operations of a scenario: what ops_*.mjs are for BullMQ.
 *
 * peer_client reads one request a line, {"op", "prefix", "queue", "args"}, looks the
 * operation up in the tables below and waits for its one answer: {"ok": result} or
 * {"refused": code}. An operation calls the library and answers, at once or from the
 * callback of its call (any thread). */
#ifndef CLIENT_H
#define CLIENT_H

#include <jansson.h>

#include <bulwark/bulwark.h>

#define CLIENT_CALL_MS 5000 /* for the `timeout_ms` of the library's calls */

struct client {
    struct bw_redis *redis;
    const struct bw_clock *clock; /* NULL: the system's */
    const char *prefix;           /* of the request */
    int line;                     /* of BullMQ that is compared with: 5 or 6 */
    struct bw_mutex mutex;
    struct bw_cond answered;
    json_t *answer; /* under the mutex; NULL: none yet */
};

struct client_op {
    const char *name; /* NULL ends a table */
    /* `queue` and `args` (an object) are borrowed until the operation has answered. */
    void (*run)(struct client *client, const char *queue, const json_t *args);
};

extern const struct client_op client_queue_ops[];     /* client_queue.c */
extern const struct client_op client_flow_ops[];      /* client_flow.c */
extern const struct client_op client_scheduler_ops[]; /* client_scheduler.c */

/* Exactly one of these an operation; `result` is taken; NULL counts as null. */
void client_reply(struct client *client, json_t *result);
/* An error with a script's number (BMQ's -1 … -11) keeps it, any other is just refused. A
 * failed connection is none: it ends the program. */
void client_refuse(struct client *client, const struct bw_error *err);

/* Refuses unless `rc` is BW_OK: then the callback answers. `err` may be NULL. */
void client_called(struct client *client, int rc, const struct bw_error *err);

/* Callbacks whose `arg` is the client: the answer is Redis's reply as it is; null; a
 * text; an id. */
void client_on_reply(const struct bw_reply *reply, const struct bw_error *err, void *arg);
void client_on_done(const struct bw_reply *reply, const struct bw_error *err, void *arg);
void client_on_id(const char *id, const struct bw_error *err, void *arg);
void client_on_json(const char *json, size_t len, const struct bw_error *err, void *arg);

/* Members of `args`, with a value for when they are absent. Texts are borrowed. */
int64_t client_number(const json_t *args, const char *key, int64_t otherwise);
const char *client_text(const json_t *args, const char *key);
bool client_flag(const json_t *args, const char *key);
/* A member as compact JSON text, freed by the caller; NULL when it is absent. */
char *client_json(const json_t *args, const char *key);

#endif
