/* Scripts on a real Redis, one call after the other: the builders' commands over a plain
 * socket.
 *
 * Commands and keys are written short: in a command text '@' stands for the base key of
 * the queue "q" ("bull:q:"). Replies are written as text: elements separated by a space,
 * nil as "-". All functions fail the test on what they do not expect. */
#ifndef TESTS_INTEGRATION_SCRIPT_RIG_H
#define TESTS_INTEGRATION_SCRIPT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "queue/calls.h"
#include "redis/reply.h"
#include "support/redis_server.h"

#define NOW 1785000000000 /* a test's clock: what the scripts are told */

struct rig {
    struct redis_server server;
    struct bw_reader *reader;
    struct bw_keys keys;
    struct bw_cmd cmd;
    int fd;
    int64_t now;
    struct bw_settle_reply
        settled;      /* of the last settle; borrowed until the next command */
    char text[65536]; /* of the last reply */
};

/* cmocka's group fixtures; the state is a struct rig. */
int rig_open(void **state);
int rig_close(void **state);
/* A test's set-up: an empty Redis and the clock at NOW. */
int rig_clear(void **state);

/* --- plain commands */

/* Sends `format` (printf), split at spaces; a word may be quoted with ''. Borrowed reply.
 */
const struct bw_reply *rig_do(struct rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The reply to `command` as text is `expected`. */
void rig_want(struct rig *rig, const char *command, const char *expected);
/* The events since the last call are these: "added jobId 1 name n | waiting jobId 1". */
void rig_want_events(struct rig *rig, const char *queue, const char *expected);
/* New text: every key with its type and content, sorted; stream ids and times to live
 * left out. */
char *rig_dump(struct rig *rig);

/* --- script calls */

/* Sends what was built in rig->cmd. Borrowed reply. */
const struct bw_reply *rig_send(struct rig *rig);
/* The same; the reply is an error with this in its text. */
void rig_want_error(struct rig *rig, const char *part);

/* Adds through the producer's options; returns the id or the code as text. */
const char *rig_add(struct rig *rig, const char *name, const char *data,
                    const char *opts);

struct bw_take rig_take(unsigned count); /* tokens t0, t1 …; lock 30 s */
/* One settle call; the reply is in rig->settled. */
void rig_settle(struct rig *rig, const struct bw_settle_item *items, size_t count,
                const struct bw_take *take);
/* Takes `count` jobs and nothing else; wants their ids, separated by spaces ("" for
 * none). */
void rig_fetch(struct rig *rig, unsigned count, const char *ids);
/* The ids that the last settle took, separated by spaces. */
const char *rig_taken(struct rig *rig);
/* Settles one item without a fetch and wants this code: 0 or the script's number. */
void rig_settle_one(struct rig *rig, struct bw_settle_item item, int code);

/* Items. The token is "t" + the index the job was taken with. */
struct bw_text text_of(const char *text);
struct bw_settle_item completed(const char *id, const char *token, const char *value);
struct bw_settle_item failed(const char *id, const char *token, const char *reason,
                             unsigned attempts);
struct bw_settle_item retried(const char *id, const char *token, const char *reason);
struct bw_settle_item delayed(const char *id, const char *token, int64_t delay,
                              bool counts);
struct bw_settle_item put_back(const char *id, const char *token);

#define RIG_TEST(f) cmocka_unit_test_setup(f, rig_clear)

#endif
