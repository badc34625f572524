#include "redis/conn_answer.h"

#include <string.h>

#include "redis/conn_link.h"
#include "redis/refusal.h"
#include "redis/script.h"

/* --- scripts that Redis has forgotten */

static void on_script_loaded(const struct bw_reply *reply, const struct bw_error *failed,
                             void *arg)
{
    struct bw_conn *conn = arg;

    (void)reply;
    conn->loading = NULL;
    if (failed != NULL && failed->code == BW_EREDIS &&
        bw_refusal_is_for_good(failed->text))
        conn->handshake.no_script_load =
            true; /* rights have changed: EVAL, from now on */
    if (failed != NULL && failed->code == BW_EREDIS)
        bw_log(&conn->log, BW_LOG_WARNING, "Redis does not load a script",
               bw_text("error", failed->text));
}

/* All calls in flight may ask for the same script: one loading, ahead of their
 * repetitions, serves them all. */
static int load_script(struct bw_conn *conn, const struct bw_script *script,
                       int64_t limit_ms)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc;

    if (conn->loading == script)
        return BW_OK;
    bw_cmd_str(&cmd, "SCRIPT");
    bw_cmd_str(&cmd, "LOAD");
    bw_cmd_arg(&cmd, script->text, script->len);
    rc = bw_conn_push(conn, &cmd, (unsigned)limit_ms, on_script_loaded, conn);
    bw_cmd_fini(&cmd);
    if (rc != BW_OK)
        return rc;
    conn->loading = script;
    bw_log(&conn->log, BW_LOG_INFO, "script loaded again",
           bw_text("script", script->name));
    return BW_OK;
}

/* Redis does not know the script (restarted, or flushed), so nothing ran: load it and say
 * the same again. False when that cannot be done. */
static bool load_and_repeat(struct bw_conn *conn, const struct bw_pending_entry *entry)
{
    int64_t left_ms = bw_mono_ms_until(bw_conn_now(conn), entry->deadline);

    if (entry->script == NULL || left_ms <= 0)
        return false;
    /* Those that use few scripts may not be told by a handshake that SCRIPT is refused.
     */
    if (conn->handshake.no_script_load || !conn->scripts) {
        if (bw_pending_repeat_first_as_eval(&conn->pending) != BW_OK)
            return false;
    } else if (load_script(conn, entry->script, left_ms) != BW_OK ||
               bw_pending_repeat_first(&conn->pending) != BW_OK)
        return false;
    bw_loop_flush(conn->loop, &conn->flush);
    bw_pending_shift(&conn->pending);
    return true;
}

/* --- answers */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void on_error_reply(struct bw_conn *conn, const struct bw_reply *reply)
{
    struct bw_pending_entry entry = *bw_pending_first(&conn->pending);
    const char *text = bw_reply_text(reply, NULL);
    bool away = conn->state == BW_CONN_READY && bw_refusal_is_away(text);
    uint64_t links = conn->links;
    struct bw_error err;

    if (starts_with(text, "NOSCRIPT") && load_and_repeat(conn, &entry))
        return;
    /* Away: not executed, and what holds for a lost link holds for the command. The
     * server lives, and will say itself when it serves again: no reason to be slow. */
    if (away && conn->handshake.knows_role)
        conn->failures = 0;
    (void)bw_error_set(&err, away ? BW_ECLOSED : BW_EREDIS, "%s", text);
    bw_pending_shift(&conn->pending);
    if (entry.cb != NULL)
        entry.cb(NULL, &err, entry.arg);
    if (away && links == conn->links)
        bw_conn_lose(conn, &err);
}

/* Before it is known who we are, or when the server is full, errors come unasked. */
static void lose_for_unasked(struct bw_conn *conn, const struct bw_reply *reply)
{
    struct bw_error why;

    if (bw_reply_kind(reply) == BW_REPLY_ERROR) {
        bw_refusal_explain_secret(&why, bw_reply_text(reply, NULL));
        why.code = BW_EPROTO;
    } else {
        (void)bw_error_set(&why, BW_EPROTO, "Redis sent a reply that nobody asked for");
    }
    bw_conn_lose(conn, &why);
}

void bw_conn_dispatch(struct bw_conn *conn, const struct bw_reply *reply)
{
    const struct bw_pending_entry *first = bw_pending_first(&conn->pending);
    struct bw_pending_entry entry;

    if (first == NULL || !bw_pending_is_written(&conn->pending, first)) {
        lose_for_unasked(conn, reply);
        return;
    }
    if (bw_reply_kind(reply) == BW_REPLY_ERROR) {
        on_error_reply(conn, reply);
        return;
    }
    entry = *first;
    bw_pending_shift(&conn->pending);
    if (entry.cb != NULL)
        entry.cb(reply, NULL, entry.arg);
}
