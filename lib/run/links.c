#include "run/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "redis/client.h"
#include "jobs/lane.h"
#include "run/reactor.h"

enum { PROBE_MS = 2000 };

/* --- after the dead are gone */

static void recover(struct bw_reactor *reactor)
{
    struct bw_links *links = &reactor->links;

    /* Others may have died meanwhile. */
    links->dead_count -= links->listed;
    memmove(links->dead, links->dead + links->listed,
            links->dead_count * sizeof links->dead[0]);
    links->listed = 0;
    links->recovered = true;
    bw_redis_lend(reactor->commands, links->command);
    for (size_t i = 0; i < reactor->lane_count; i++)
        bw_lane_recover(reactor->lanes[i]);
}

/* --- killing what Redis holds of lost links */

static void on_killed(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_links *links = &reactor->links;

    (void)reply; /* killed, or gone by itself */
    links->kills--;
    if (err != NULL && err->code != BW_EREDIS) { /* lost: begun anew by the next link */
        links->burying = false;
        return;
    }
    if (err != NULL)
        bw_log(&reactor->log, BW_LOG_DEBUG, "old connection not killed",
               bw_text("error", err->text));
    if (links->kills == 0 && links->burying) {
        links->burying = false;
        recover(reactor);
    }
}

static bool is_dead(const struct bw_links *links, int64_t id)
{
    for (unsigned i = 0; i < links->dead_count; i++) {
        if (links->dead[i] == id)
            return true;
    }
    return false;
}

static void send_kill(struct bw_reactor *reactor, int64_t id)
{
    struct bw_cmd *cmd = bw_reactor_cmd(reactor);

    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "KILL");
    bw_cmd_str(cmd, "ID");
    bw_cmd_int(cmd, id);
    /* Without memory for it the old link is left to its own end. */
    if (bw_conn_send(reactor->links.command, cmd, BW_CALL_TIMEOUT_MS, on_killed,
                     reactor) == BW_OK)
        reactor->links.kills++;
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

static void kill_if_ours(struct bw_reactor *reactor, const char *line, size_t len)
{
    struct bw_links *links = &reactor->links;
    int64_t id;

    if (len < 4 || memcmp(line, "id=", 3) != 0)
        return;
    id = strtoll(line + 3, NULL, 10); /* ends at the blank that follows */
    if (is_dead(links, id) && (has_field(line, len, "name=", links->command_name) ||
                               has_field(line, len, "name=", links->blocking_name)))
        send_kill(reactor, id);
}

static void on_listed(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_links *links = &reactor->links;
    size_t len;
    const char *at = bw_reply_text(reply, &len), *end = at + len;

    if (err != NULL && err->code != BW_EREDIS) {
        links->burying = false;
        return;
    }
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;

        kill_if_ours(reactor, at, (size_t)(line_end - at));
        at = line_end + 1;
    }
    if (links->kills > 0)
        return;
    links->burying = false;
    recover(reactor);
}

static void bury(struct bw_reactor *reactor)
{
    struct bw_links *links = &reactor->links;
    struct bw_cmd *cmd;

    if (!bw_conn_is_ready(links->command) || links->burying)
        return;
    if (links->dead_count == 0) {
        recover(reactor);
        return;
    }
    cmd = bw_reactor_cmd(reactor);
    bw_cmd_str(cmd, "CLIENT");
    bw_cmd_str(cmd, "LIST");
    bw_cmd_str(cmd, "ID");
    for (unsigned i = 0; i < links->dead_count; i++)
        bw_cmd_int(cmd, links->dead[i]);
    links->listed = links->dead_count;
    links->burying = bw_conn_send(links->command, cmd, BW_CALL_TIMEOUT_MS, on_listed,
                                  reactor) == BW_OK;
    if (!links->burying)
        recover(reactor); /* no memory for caution */
}

static void add_dead(struct bw_links *links, int64_t id)
{
    /* When there are too many, Redis has been away for so long that they are gone. */
    if (id != 0 && links->dead_count < BW_DEAD_LINKS)
        links->dead[links->dead_count++] = id;
}

/* --- coming and going */

static void on_command_ready(struct bw_conn *conn, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_links *links = &reactor->links;

    links->command_id = bw_conn_client_id(conn);
    links->burying = false;
    links->listed = links->kills = 0;
    links->recovered = false;
    bury(reactor);
}

static void on_command_lost(struct bw_conn *conn, const struct bw_error *why, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_links *links = &reactor->links;

    (void)conn; /* it has logged why */
    for (size_t i = 0; i < reactor->lane_count; i++)
        bw_lane_tell_error(reactor->lanes[i], why->text);
    bw_redis_lend(reactor->commands, NULL);
    add_dead(links, links->command_id);
    links->command_id = 0;
    links->recovered = false;
    links->burying = false;
    bw_markers_touch(reactor);
}

static void on_blocking_ready(struct bw_conn *conn, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_links *links = &reactor->links;

    links->blocking_id = bw_conn_client_id(conn);
    bw_markers_touch(reactor);
    if (links->dead_count > 0 && links->recovered)
        bury(reactor);
}

/* What became of one link may have become of the other, which has nothing to say at
 * present: it is asked, and answers soon or is dropped. */
static void probe_command(struct bw_reactor *reactor)
{
    struct bw_cmd *cmd = bw_reactor_cmd(reactor);

    bw_cmd_str(cmd, "PING");
    if (bw_conn_send(reactor->links.command, cmd, PROBE_MS, NULL, NULL) == BW_ENOMEM)
        bw_log(&reactor->log, BW_LOG_WARNING,
               "the command link is not probed: no memory");
}

static void on_blocking_lost(struct bw_conn *conn, const struct bw_error *why, void *arg)
{
    struct bw_reactor *reactor = arg;
    struct bw_links *links = &reactor->links;

    (void)conn;
    (void)why;
    add_dead(links, links->blocking_id);
    links->blocking_id = 0;
    probe_command(reactor);
    bw_markers_lost(reactor);
}

/* --- life */

static int create_listing(struct bw_reactor *reactor, struct bw_lane *lane,
                          struct bw_error *err)
{
    struct bw_conn_options options = {
        .redis = &reactor->redis,
        .name = lane->client_name,
        .second = true,
        .patient = true,
        .log = &lane->log,
    };

    if (lane->options.skip_listing)
        return BW_OK;
    return bw_conn_create(&lane->listing, reactor->loop, &options, err);
}

/* What makes us visible to getWorkers (lib/spec/bullmq.md §10.8) is never the connection
 * that waits: by that our workers are told from BullMQ's in the list of clients. */
static int make_names(struct bw_reactor *reactor, struct bw_error *err)
{
    struct bw_links *links = &reactor->links;
    char markers[64];

    /* Both fit: a UUID has 36 characters. */
    (void)snprintf(links->command_name, sizeof links->command_name, "bulwark:%s:commands",
                   reactor->uuid);
    (void)snprintf(markers, sizeof markers, "bulwark:%s:markers", reactor->uuid);
    links->blocking_name = bw_strdup(markers);
    return links->blocking_name != NULL ? BW_OK
                                        : bw_error_set(err, BW_ENOMEM, "out of memory");
}

int bw_links_prepare(struct bw_reactor *reactor, struct bw_error *err)
{
    struct bw_links *links = &reactor->links;
    struct bw_conn_options command = {
        .redis = &reactor->redis,
        .scripts = true,
        .log = &reactor->log,
        .on_ready = on_command_ready,
        .on_lost = on_command_lost,
        .arg = reactor,
    };
    struct bw_conn_options blocking = {
        .redis = &reactor->redis,
        .second = true,
        .log = &reactor->log,
        .on_ready = on_blocking_ready,
        .on_lost = on_blocking_lost,
        .arg = reactor,
    };
    int result = make_names(reactor, err);

    if (result != BW_OK)
        return result;
    command.name = links->command_name;
    blocking.name = links->blocking_name;
    result = bw_conn_create(&links->command, reactor->loop, &command, err);
    if (result == BW_OK)
        result = bw_conn_create(&links->blocking, reactor->loop, &blocking, err);
    for (size_t i = 0; i < reactor->lane_count && result == BW_OK; i++)
        result = create_listing(reactor, reactor->lanes[i], err);
    return result;
}

void bw_links_open(struct bw_reactor *reactor)
{
    bw_conn_open(reactor->links.command);
    bw_conn_open(reactor->links.blocking);
    for (size_t i = 0; i < reactor->lane_count; i++) {
        if (reactor->lanes[i]->listing != NULL)
            bw_conn_open(reactor->lanes[i]->listing);
    }
}

void bw_links_reset(struct bw_reactor *reactor, const char *reason)
{
    bw_conn_reset(reactor->links.blocking, reason, true);
    bw_conn_reset(reactor->links.command, reason, true);
}

void bw_links_close(struct bw_reactor *reactor)
{
    struct bw_links *links = &reactor->links;

    for (size_t i = 0; i < reactor->lane_count; i++)
        bw_conn_destroy(&reactor->lanes[i]->listing);
    bw_conn_destroy(&links->blocking);
    bw_conn_destroy(&links->command);
    links->recovered = false;
    free(links->blocking_name);
    links->blocking_name = NULL;
}
