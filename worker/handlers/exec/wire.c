#include "handlers/exec/wire.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define PROTOCOL 1

/* Writing a line; after a failure nothing more is written. */
struct line {
    struct bw_buf *out;
    size_t start;
    int rc;
};

static void raw(struct line *line, const char *text)
{
    if (line->rc == BW_OK)
        line->rc = bw_buf_add_str(line->out, text);
}

static struct line line_begin(struct bw_buf *out, const char *type)
{
    struct line line = { out, out->len, BW_OK };

    raw(&line, "{\"type\":\"");
    raw(&line, type);
    raw(&line, "\"");
    return line;
}

static int line_end(struct line *line)
{
    raw(line, "}\n");
    if (line->rc != BW_OK && line->out->data != NULL) { /* nothing but whole lines */
        line->out->len = line->start;
        line->out->data[line->start] = '\0';
    }
    return line->rc;
}

static void key(struct line *line, const char *name)
{
    raw(line, ",\"");
    raw(line, name);
    raw(line, "\":");
}

static void text_len(struct line *line, const char *name, const char *text, size_t len)
{
    key(line, name);
    if (line->rc == BW_OK)
        line->rc = ex_json_add_string(line->out, text, len);
}

/* NULL: left out. */
static void text(struct line *line, const char *name, const char *value)
{
    if (value != NULL)
        text_len(line, name, value, strlen(value));
}

static void slice(struct line *line, const char *name, struct ex_slice value)
{
    if (value.at != NULL)
        text_len(line, name, value.at, value.len);
}

static void number(struct line *line, const char *name, int64_t value)
{
    key(line, name);
    if (line->rc == BW_OK)
        line->rc = bw_buf_addf(line->out, "%" PRId64, value);
}

/* Stored text: as it is where it is JSON, else as a string of it. */
static void stored(struct line *line, const char *name, const char *value, size_t len)
{
    struct ex_slice slice = { value, len };

    if (value == NULL)
        return;
    if (!ex_json_valid(slice)) {
        text_len(line, name, value, len);
        return;
    }
    key(line, name);
    if (line->rc == BW_OK)
        line->rc = ex_json_add_line(line->out, slice);
}

/* ---- hello */

static int add_percent(struct bw_buf *out, const char *part)
{
    int rc = BW_OK;

    for (const char *p = part; rc == BW_OK && *p != '\0'; p++) {
        if (isalnum((unsigned char)*p) || strchr("-._~", *p) != NULL)
            rc = bw_buf_add_char(out, *p);
        else
            rc = bw_buf_addf(out, "%%%02X", (unsigned)(unsigned char)*p);
    }
    return rc;
}

static int add_credentials(struct bw_buf *out, const struct bw_redis_options *redis)
{
    int rc = BW_OK;

    if (redis->username == NULL && redis->password == NULL)
        return BW_OK;
    if (redis->username != NULL)
        rc = add_percent(out, redis->username);
    if (rc == BW_OK && redis->password != NULL) {
        rc = bw_buf_add_char(out, ':');
        if (rc == BW_OK)
            rc = add_percent(out, redis->password);
    }
    return rc == BW_OK ? bw_buf_add_char(out, '@') : rc;
}

static int redis_url(struct bw_buf *out, const struct ex_hello *hello)
{
    const struct bw_redis_options *redis = hello->redis;
    bool v6 = redis->host != NULL && strchr(redis->host, ':') != NULL;
    int rc;

    if (redis->path != NULL)
        return bw_buf_addf(out, "unix://%s?db=%d", redis->path, redis->db);
    rc = bw_buf_add_str(out, redis->tls ? "rediss://" : "redis://");
    if (rc == BW_OK && hello->share_redis)
        rc = add_credentials(out, redis);
    if (rc == BW_OK)
        rc = bw_buf_addf(out, v6 ? "[%s]:%u/%d" : "%s:%u/%d", redis->host,
                         (unsigned)redis->port, redis->db);
    return rc;
}

int ex_wire_hello(struct bw_buf *out, const struct ex_hello *hello)
{
    struct line line = line_begin(out, "hello");
    struct bw_buf url = BW_BUF_INIT;

    number(&line, "protocol", PROTOCOL);
    text(&line, "version", hello->version);
    text(&line, "queue", hello->queue);
    text(&line, "prefix", hello->prefix);
    text(&line, "worker", hello->worker);
    if (line.rc == BW_OK && hello->redis != NULL) {
        line.rc = redis_url(&url, hello);
        text(&line, "redis", bw_buf_text(&url));
    }
    bw_buf_fini(&url);
    return line_end(&line);
}

/* ---- job */

int ex_wire_job(struct bw_buf *out, int64_t seq, const struct bw_job *job)
{
    struct line line = line_begin(out, "job");
    size_t data_len, opts_len, progress_len;
    const char *data = bw_job_data(job, &data_len);
    const char *opts = bw_job_opts(job, &opts_len);
    const char *progress = bw_job_progress(job, &progress_len);
    const char *parent = bw_job_parent(job);

    number(&line, "seq", seq);
    text_len(&line, "id", bw_job_id(job), bw_job_id_len(job));
    text_len(&line, "name", bw_job_name(job), bw_job_name_len(job));
    stored(&line, "data", data, data_len);
    stored(&line, "opts", opts, opts_len);
    text(&line, "token", bw_job_token(job));
    number(&line, "timestamp", bw_job_timestamp(job));
    number(&line, "delay", bw_job_delay(job));
    number(&line, "priority", bw_job_priority(job));
    number(&line, "attemptsMade", bw_job_attempts_made(job));
    number(&line, "attemptsStarted", bw_job_attempts_started(job));
    number(&line, "stalledCounter", bw_job_stalled_count(job));
    number(&line, "processedOn", bw_job_processed_on(job));
    stored(&line, "progress", progress, progress_len);
    if (parent != NULL)
        stored(&line, "parent", parent, bw_job_parent_len(job));
    else
        raw(&line, ",\"parent\":null");
    slice(&line, "repeatJobKey",
          (struct ex_slice){ bw_job_repeat_key(job), bw_job_repeat_key_len(job) });
    slice(&line, "deduplicationId",
          (struct ex_slice){ bw_job_deduplication_id(job),
                             bw_job_deduplication_id_len(job) });
    return line_end(&line);
}

/* ---- the rest */

int ex_wire_cancel(struct bw_buf *out, int64_t seq, const char *reason)
{
    struct line line = line_begin(out, "cancel");

    number(&line, "seq", seq);
    text(&line, "reason", reason);
    return line_end(&line);
}

int ex_wire_reply(struct bw_buf *out, struct ex_slice req, struct ex_slice result,
                  const char *error, const char *name)
{
    struct line line = line_begin(out, "reply");

    key(&line, "req");
    if (line.rc == BW_OK)
        line.rc = ex_json_add_line(out, req);
    text(&line, "error", error);
    text(&line, "name", name);
    if (error == NULL)
        stored(&line, "result", result.at, result.len);
    return line_end(&line);
}

int ex_wire_close(struct bw_buf *out, int64_t deadline_ms)
{
    struct line line = line_begin(out, "close");

    number(&line, "deadlineMs", deadline_ms);
    return line_end(&line);
}

int ex_wire_event(struct bw_buf *out, const struct ex_event *event)
{
    struct line line = line_begin(out, "event");

    text(&line, "event", event->event);
    slice(&line, "id", event->id);
    stored(&line, "result", event->result.at, event->result.len);
    slice(&line, "error", event->error);
    if (event->attempts_made >= 0)
        number(&line, "attemptsMade", event->attempts_made);
    return line_end(&line);
}
