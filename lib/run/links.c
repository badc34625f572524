#include "run/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "jobs/base/caller.h"

enum { PROBE_MS = 2000 };

static void on_command_ready(struct bw_conn *conn, void *arg);
static void on_command_lost(struct bw_conn *conn, const struct bw_error *why, void *arg);
static void on_blocking_ready(struct bw_conn *conn, void *arg);
static void on_blocking_lost(struct bw_conn *conn, const struct bw_error *why, void *arg);
static void on_listed(const struct bw_reply *reply, const struct bw_error *err,
                      void *arg);
static void on_killed(const struct bw_reply *reply, const struct bw_error *err,
                      void *arg);

/* --- life */

/* What makes us visible to getWorkers (lib/spec/bullmq.md §10.8) is never the connection
 * that waits: by that our workers are told from BullMQ's in the list of clients. */
static void make_names(struct bw_links *links, const char *uuid)
{
    /* Both fit: a UUID has 36 characters. */
    (void)snprintf(links->command_name, sizeof links->command_name, "bulwark:%s:commands",
                   uuid);
    (void)snprintf(links->blocking_name, sizeof links->blocking_name,
                   "bulwark:%s:markers", uuid);
}

int bw_links_prepare(struct bw_links *links, struct bw_caller *caller,
                     const struct bw_redis_options *redis, const char *uuid,
                     const struct bw_log *log, const struct bw_links_events *events,
                     struct bw_error *err)
{
    struct bw_conn_options command = {
        .redis = redis,
        .name = links->command_name,
        .scripts = true,
        .log = log,
        .on_ready = on_command_ready,
        .on_lost = on_command_lost,
        .arg = links,
    };
    struct bw_conn_options blocking = {
        .redis = redis,
        .name = links->blocking_name,
        .second = true,
        .log = log,
        .on_ready = on_blocking_ready,
        .on_lost = on_blocking_lost,
        .arg = links,
    };
    int result;

    BW_ASSERT(links->command == NULL && links->blocking == NULL);
    links->log = *log;
    links->events = *events;
    links->caller = caller;
    make_names(links, uuid);
    result = bw_conn_create(&links->command, caller->loop, &command, err);
    if (result == BW_OK)
        result = bw_conn_create(&links->blocking, caller->loop, &blocking, err);
    caller->conn = links->command;
    return result;
}

void bw_links_open(struct bw_links *links)
{
    bw_conn_open(links->command);
    bw_conn_open(links->blocking);
}

void bw_links_reset(struct bw_links *links, const char *reason)
{
    bw_conn_reset(links->blocking, reason, true);
    bw_conn_reset(links->command, reason, true);
}

void bw_links_close(struct bw_links *links)
{
    bw_conn_destroy(&links->blocking);
    bw_conn_destroy(&links->command);
    if (links->caller == NULL)
        return;
    links->caller->open = false;
    links->caller->conn = NULL;
}

/* --- burying: killing what Redis holds of lost links, before the first call */

static void opened(struct bw_links *links)
{
    /* Others may have died meanwhile. */
    BW_ASSERT(links->listed <= links->dead_count && links->kills == 0);
    links->dead_count -= links->listed;
    memmove(links->dead, links->dead + links->listed,
            links->dead_count * sizeof links->dead[0]);
    links->listed = 0;
    links->caller->open = true;
    links->events.on_open(links->events.arg);
}

static void bury(struct bw_links *links)
{
    struct bw_cmd *cmd;

    if (!bw_conn_is_ready(links->command) || links->burying)
        return;
    if (links->dead_count == 0) {
        opened(links);
        return;
    }
    cmd = bw_caller_cmd(links->caller);
    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "LIST");
    bw_cmd_str(cmd, "ID");
    for (unsigned i = 0; i < links->dead_count; i++)
        bw_cmd_int(cmd, links->dead[i]);
    links->listed = links->dead_count;
    links->burying =
        bw_conn_send(links->command, cmd, BW_CALL_TIMEOUT_MS, on_listed, links) == BW_OK;
    if (!links->burying)
        opened(links); /* no memory for caution */
}

static bool is_dead(const struct bw_links *links, int64_t id)
{
    for (unsigned i = 0; i < links->dead_count; i++) {
        if (links->dead[i] == id)
            return true;
    }
    return false;
}

/* Does `field` ("name=") of a line of CLIENT LIST have this value? */
static bool has_field(const char *line, size_t len, const char *field, const char *value)
{
    size_t field_len = strlen(field), value_len = strlen(value);
    const char *end = line + len, *at = line;

    while (at != NULL && (size_t)(end - at) >= field_len + value_len) {
        if (memcmp(at, field, field_len) == 0)
            return memcmp(at + field_len, value, value_len) == 0 &&
                   (at + field_len + value_len == end ||
                    at[field_len + value_len] == ' ');
        at = memchr(at, ' ', (size_t)(end - at));
        if (at != NULL)
            at++;
    }
    return false;
}

static void send_kill(struct bw_links *links, int64_t id)
{
    struct bw_cmd *cmd = bw_caller_cmd(links->caller);

    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "KILL");
    bw_cmd_str(cmd, "ID");
    bw_cmd_int(cmd, id);
    /* Without memory for it the old link is left to its own end. */
    if (bw_conn_send(links->command, cmd, BW_CALL_TIMEOUT_MS, on_killed, links) == BW_OK)
        links->kills++;
}

static void kill_if_ours(struct bw_links *links, const char *line, size_t len)
{
    int64_t id;

    if (len < 4 || memcmp(line, "id=", 3) != 0)
        return;
    id = strtoll(line + 3, NULL, 10); /* ends at the blank that follows */
    if (is_dead(links, id) && (has_field(line, len, "name=", links->command_name) ||
                               has_field(line, len, "name=", links->blocking_name)))
        send_kill(links, id);
}

static void on_listed(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_links *links = arg;
    size_t len;
    const char *at = bw_reply_text(reply, &len), *end = at + len;

    if (err != NULL && err->code != BW_EREDIS) {
        links->burying = false;
        return;
    }
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;

        kill_if_ours(links, at, (size_t)(line_end - at));
        at = line_end + 1;
    }
    if (links->kills > 0)
        return;
    links->burying = false;
    opened(links);
}

static void on_killed(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_links *links = arg;

    (void)reply; /* killed, or gone by itself */
    links->kills--;
    if (err != NULL && err->code != BW_EREDIS) { /* lost: begun anew by the next link */
        links->burying = false;
        return;
    }
    if (err != NULL)
        bw_log(&links->log, BW_LOG_DEBUG, "old connection not killed",
               bw_text("error", err->text));
    if (links->kills == 0 && links->burying) {
        links->burying = false;
        opened(links);
    }
}

/* --- coming and going */

static void add_dead(struct bw_links *links, int64_t id)
{
    BW_ASSERT(links->dead_count <= BW_DEAD_LINKS);
    /* When there are too many, Redis has been away for so long that they are gone. */
    if (id != 0 && links->dead_count < BW_DEAD_LINKS)
        links->dead[links->dead_count++] = id;
}

static void on_command_ready(struct bw_conn *conn, void *arg)
{
    struct bw_links *links = arg;

    BW_ASSERT(conn == links->command);
    links->command_id = bw_conn_client_id(conn);
    links->burying = false;
    links->listed = links->kills = 0;
    links->caller->open = false;
    bury(links);
}

static void on_command_lost(struct bw_conn *conn, const struct bw_error *why, void *arg)
{
    struct bw_links *links = arg;

    BW_ASSERT(conn == links->command); /* it has logged why */
    add_dead(links, links->command_id);
    links->command_id = 0;
    links->caller->open = false;
    links->burying = false;
    links->events.on_lost(why, links->events.arg);
}

static void on_blocking_ready(struct bw_conn *conn, void *arg)
{
    struct bw_links *links = arg;

    BW_ASSERT(conn == links->blocking);
    links->blocking_id = bw_conn_client_id(conn);
    links->events.on_wait_open(links->events.arg);
    if (links->dead_count > 0 && links->caller->open)
        bury(links);
}

/* What became of one link may have become of the other, which has nothing to say at
 * present: it is asked, and answers soon or is dropped. */
static void probe_command(struct bw_links *links)
{
    struct bw_cmd *cmd = bw_caller_cmd(links->caller);

    bw_cmd_str(cmd, "PING");
    if (bw_conn_send(links->command, cmd, PROBE_MS, NULL, NULL) == BW_ENOMEM)
        bw_log(&links->log, BW_LOG_WARNING, "the command link is not probed: no memory");
}

static void on_blocking_lost(struct bw_conn *conn, const struct bw_error *why, void *arg)
{
    struct bw_links *links = arg;

    BW_ASSERT(conn == links->blocking);
    (void)why;
    add_dead(links, links->blocking_id);
    links->blocking_id = 0;
    probe_command(links);
    links->events.on_wait_lost(links->events.arg);
}
