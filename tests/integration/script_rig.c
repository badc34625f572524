#include "integration/script_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "scripts.h"

/* --- the connection */

static void connect_server(struct rig *rig)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(rig->server.port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval deadline = { .tv_sec = 20 };
    int at_once = 1;

    rig->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(rig->fd >= 0);
    assert_int_equal(
        setsockopt(rig->fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
    assert_int_equal(
        setsockopt(rig->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)), 0);
    assert_int_equal(connect(rig->fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

static void send_all(struct rig *rig, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(rig->fd, data, len, MSG_NOSIGNAL);

        assert_true(n > 0);
        data += n;
        len -= (size_t)n;
    }
}

static const struct bw_reply *read_reply(struct rig *rig)
{
    const struct bw_reply *reply = NULL;
    struct bw_error err;
    char bytes[16384];

    for (;;) {
        if (bw_reader_next(rig->reader, &reply, &err) != BW_OK)
            fail_msg("%s", err.text);
        if (reply != NULL)
            return reply;
        ssize_t n = recv(rig->fd, bytes, sizeof(bytes), 0);

        if (n <= 0)
            fail_msg("no reply: %s", n == 0 ? "closed" : strerror(errno));
        if (bw_reader_feed(rig->reader, bytes, (size_t)n, &err) != BW_OK)
            fail_msg("%s", err.text);
    }
}

static const struct bw_reply *send_cmd(struct rig *rig, struct bw_cmd *cmd)
{
    char head[32];

    assert_int_equal(cmd->failed, BW_OK);
    int len = snprintf(head, sizeof(head), "*%zu\r\n", cmd->count);

    send_all(rig, head, (size_t)len);
    send_all(rig, cmd->body.data, cmd->body.len);
    return read_reply(rig);
}

const struct bw_reply *rig_send(struct rig *rig)
{
    const struct bw_reply *reply = send_cmd(rig, &rig->cmd);

    bw_cmd_clear(&rig->cmd);
    if (bw_reply_kind(reply) == BW_REPLY_ERROR)
        fail_msg("%s", bw_reply_text(reply, NULL));
    return reply;
}

void rig_want_error(struct rig *rig, const char *part)
{
    const struct bw_reply *reply = send_cmd(rig, &rig->cmd);

    bw_cmd_clear(&rig->cmd);
    assert_int_equal(bw_reply_kind(reply), BW_REPLY_ERROR);
    assert_non_null(strstr(bw_reply_text(reply, NULL), part));
}

static void load_scripts(struct rig *rig)
{
    for (size_t i = 0; i < bw_script_count; i++) {
        bw_cmd_str(&rig->cmd, "SCRIPT");
        bw_cmd_str(&rig->cmd, "LOAD");
        bw_cmd_arg(&rig->cmd, bw_scripts[i]->text, bw_scripts[i]->len);
        assert_string_equal(bw_reply_text(rig_send(rig), NULL), bw_scripts[i]->sha1);
    }
}

/* --- fixtures */

int rig_open(void **state)
{
    /* Nothing is read back from disk, and FLUSHALL would wait for it. */
    static const char *const in_memory[] = { "--appendonly", "no", NULL };
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    redis_server_start(&rig->server, in_memory);
    assert_int_equal(bw_reader_create(&rig->reader, 0), BW_OK);
    assert_int_equal(bw_keys_init(&rig->keys, NULL, "q", NULL), BW_OK);
    connect_server(rig);
    load_scripts(rig);
    *state = rig;
    return 0;
}

int rig_close(void **state)
{
    struct rig *rig = *state;

    (void)close(rig->fd);
    bw_cmd_fini(&rig->cmd);
    bw_keys_fini(&rig->keys);
    bw_reader_destroy(&rig->reader);
    redis_server_stop(&rig->server);
    free(rig);
    return 0;
}

int rig_clear(void **state)
{
    struct rig *rig = *state;

    rig_want(rig, "FLUSHALL", "OK");
    rig->now = NOW;
    return 0;
}

/* --- plain commands */

/* Words, '…' kept together, '@' replaced. */
static void split_words(struct bw_cmd *cmd, const char *text)
{
    char word[8192];

    while (*text != '\0') {
        size_t len = 0;
        bool quoted = *text == '\'';

        if (quoted)
            text++;
        while (*text != '\0' && *text != (quoted ? '\'' : ' ')) {
            const char *piece = *text == '@' ? "bull:q:" : NULL;

            assert_true(len + 8 < sizeof(word));
            if (piece != NULL)
                len += (size_t)sprintf(word + len, "%s", piece);
            else
                word[len++] = *text;
            text++;
        }
        bw_cmd_arg(cmd, word, len);
        if (quoted && *text == '\'')
            text++;
        while (*text == ' ')
            text++;
    }
}

const struct bw_reply *rig_do(struct rig *rig, const char *format, ...)
{
    char text[16384];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert_true(len > 0 && (size_t)len < sizeof(text));
    split_words(&rig->cmd, text);
    return rig_send(rig);
}

static void print_reply(struct bw_buf *out, const struct bw_reply *reply,
                        const char *between)
{
    size_t len;
    const char *text;

    switch (bw_reply_kind(reply)) {
    case BW_REPLY_NIL:
        assert_int_equal(bw_buf_add_str(out, "-"), BW_OK);
        break;
    case BW_REPLY_INTEGER:
        assert_int_equal(bw_buf_addf(out, "%lld", (long long)bw_reply_integer(reply)),
                         BW_OK);
        break;
    case BW_REPLY_ARRAY:
        for (size_t i = 0; i < bw_reply_count(reply); i++) {
            if (i > 0)
                assert_int_equal(bw_buf_add_str(out, between), BW_OK);
            print_reply(out, bw_reply_at(reply, i), " ");
        }
        break;
    default:
        text = bw_reply_text(reply, &len);
        assert_int_equal(bw_buf_add(out, text, len), BW_OK);
    }
}

static const char *keep_text(struct rig *rig, struct bw_buf *text)
{
    assert_true(text->len < sizeof(rig->text));
    memcpy(rig->text, bw_buf_text(text), text->len + 1);
    bw_buf_fini(text);
    return rig->text;
}

void rig_want(struct rig *rig, const char *command, const char *expected)
{
    struct bw_buf text = BW_BUF_INIT;

    print_reply(&text, rig_do(rig, "%s", command), " ");
    if (strcmp(keep_text(rig, &text), expected) != 0)
        fail_msg("%s: \"%s\", wanted \"%s\"", command, rig->text, expected);
}

void rig_want_events(struct rig *rig, const char *queue, const char *expected)
{
    const struct bw_reply *reply = rig_do(rig, "XRANGE bull:%s:events - +", queue);
    struct bw_buf text = BW_BUF_INIT;

    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        const struct bw_reply *fields = bw_reply_at(bw_reply_at(reply, i), 1);

        assert_string_equal(bw_reply_text(bw_reply_at(fields, 0), NULL), "event");
        for (size_t f = 1; f < bw_reply_count(fields); f++) {
            const char *before = f > 1 ? " " : i > 0 ? " | " : "";

            assert_int_equal(bw_buf_addf(&text, "%s%s", before,
                                         bw_reply_text(bw_reply_at(fields, f), NULL)),
                             BW_OK);
        }
    }
    if (strcmp(keep_text(rig, &text), expected) != 0)
        fail_msg("events: \"%s\", wanted \"%s\"", rig->text, expected);
    (void)rig_do(rig, "XTRIM bull:%s:events MAXLEN 0", queue);
}

/* --- dumps */

struct line {
    char *text;
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->text, ((const struct line *)b)->text);
}

/* Sorted copies of an array's elements, `step` of them a line. */
static struct line *take_lines(const struct bw_reply *reply, size_t step, bool sorted,
                               size_t *count)
{
    struct line *lines;

    *count = bw_reply_count(reply) / step;
    lines = calloc(*count + 1, sizeof(*lines));
    assert_non_null(lines);
    for (size_t i = 0; i < *count; i++) {
        struct bw_buf text = BW_BUF_INIT;

        for (size_t s = 0; s < step; s++) {
            if (s > 0)
                assert_int_equal(bw_buf_add_str(&text, "="), BW_OK);
            print_reply(&text, bw_reply_at(reply, i * step + s), " ");
        }
        lines[i].text = bw_buf_take(&text);
        assert_non_null(lines[i].text);
    }
    if (sorted)
        qsort(lines, *count, sizeof(*lines), compare_lines);
    return lines;
}

static void free_lines(struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(lines[i].text);
    free(lines);
}

/* How each type is read, how many elements make one line, and whether their order means
 * nothing. */
static const struct {
    const char *type, *command;
    size_t step;
    bool sorted;
} readers[] = {
    { "hash", "HGETALL '%s'", 2, true },
    { "list", "LRANGE '%s' 0 -1", 1, false },
    { "set", "SMEMBERS '%s'", 1, true },
    { "zset", "ZRANGE '%s' 0 -1 WITHSCORES", 2, false },
};

static void dump_stream(struct rig *rig, struct bw_buf *out, const char *key)
{
    const struct bw_reply *reply = rig_do(rig, "XRANGE '%s' - +", key);

    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        assert_int_equal(bw_buf_add_str(out, "\n    "), BW_OK);
        print_reply(out, bw_reply_at(bw_reply_at(reply, i), 1), " ");
    }
}

static void dump_key(struct rig *rig, struct bw_buf *out, const char *key)
{
    char type[16];

    (void)snprintf(type, sizeof(type), "%s",
                   bw_reply_text(rig_do(rig, "TYPE '%s'", key), NULL));
    assert_int_equal(bw_buf_addf(out, "%s (%s)", key, type), BW_OK);
    if (strcmp(type, "stream") == 0)
        dump_stream(rig, out, key);
    if (strcmp(type, "string") == 0) {
        assert_int_equal(bw_buf_addf(out, "\n    %s",
                                     bw_reply_text(rig_do(rig, "GET '%s'", key), NULL)),
                         BW_OK);
    }
    for (size_t r = 0; r < sizeof(readers) / sizeof(readers[0]); r++) {
        char command[512];
        size_t count;

        if (strcmp(type, readers[r].type) != 0)
            continue;
            /* The formats are the constants above, each with one %s. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(command, sizeof(command), readers[r].command, key);
#pragma GCC diagnostic pop
        struct line *lines = take_lines(rig_do(rig, "%s", command), readers[r].step,
                                        readers[r].sorted, &count);

        for (size_t i = 0; i < count; i++)
            assert_int_equal(bw_buf_addf(out, "\n    %s", lines[i].text), BW_OK);
        free_lines(lines, count);
    }
    assert_int_equal(bw_buf_add_str(out, "\n"), BW_OK);
}

char *rig_dump(struct rig *rig)
{
    struct bw_buf out = BW_BUF_INIT;
    size_t count;
    struct line *keys = take_lines(rig_do(rig, "KEYS *"), 1, true, &count);

    for (size_t i = 0; i < count; i++)
        dump_key(rig, &out, keys[i].text);
    free_lines(keys, count);
    char *text = bw_buf_take(&out);

    assert_non_null(text);
    return text;
}

/* --- script calls */

struct bw_text text_of(const char *text)
{
    return (struct bw_text){ text, text != NULL ? strlen(text) : 0 };
}

const char *rig_add(struct rig *rig, const char *name, const char *data, const char *opts)
{
    struct bw_wall now = { rig->now };
    struct bw_add add = { .queue = "q",
                          .name = name,
                          .data = data,
                          .data_len = data != NULL ? strlen(data) : 0,
                          .opts = opts,
                          .opts_len = opts != NULL ? strlen(opts) : 0 };
    struct bw_add_options options;
    struct bw_error err;
    struct bw_buf text = BW_BUF_INIT;

    if (bw_add_options_parse(&options, &add, now, &err) != BW_OK)
        fail_msg("%s", err.text);
    bw_add_build(&rig->cmd, &rig->keys, now, &add, &options);
    bw_add_options_fini(&options);
    print_reply(&text, rig_send(rig), " ");
    return keep_text(rig, &text);
}

struct bw_take rig_take(unsigned count)
{
    return (
        struct bw_take){ .count = count, .token_prefix = "t", .lock_duration = 30000 };
}

void rig_settle(struct rig *rig, const struct bw_settle_item *items, size_t count,
                const struct bw_take *take)
{
    struct bw_error err;

    bw_settle_build(&rig->cmd, &rig->keys, (struct bw_wall){ rig->now }, items, count,
                    take, 0);
    if (bw_settle_decode(&rig->settled, rig_send(rig), count, &err) != BW_OK)
        fail_msg("%s", err.text);
}

const char *rig_taken(struct rig *rig)
{
    struct bw_buf text = BW_BUF_INIT;

    for (size_t i = 0; i < rig->settled.job_count; i++) {
        struct bw_job_data job;
        struct bw_error err;

        if (bw_job_data_decode(&job, bw_reply_at(rig->settled.jobs, i), &err) != BW_OK)
            fail_msg("%s", err.text);
        assert_int_equal(bw_buf_addf(&text, "%s%s", i > 0 ? " " : "", job.id.data),
                         BW_OK);
        bw_job_data_fini(&job);
    }
    return keep_text(rig, &text);
}

void rig_fetch(struct rig *rig, unsigned count, const char *ids)
{
    struct bw_take take = rig_take(count);

    rig_settle(rig, NULL, 0, &take);
    assert_string_equal(rig_taken(rig), ids);
}

void rig_settle_one(struct rig *rig, struct bw_settle_item item, int code)
{
    rig_settle(rig, &item, 1, NULL);
    assert_int_equal(bw_reply_integer(bw_reply_at(rig->settled.codes, 0)), code);
    assert_int_equal(bw_settle_code(&rig->settled, 0, NULL),
                     code == 0 ? BW_OK : -100 + code);
}

/* --- items */

struct bw_settle_item completed(const char *id, const char *token, const char *value)
{
    return (struct bw_settle_item){ .kind = BW_SETTLE_COMPLETED,
                                    .id = text_of(id),
                                    .token = text_of(token),
                                    .value = text_of(value) };
}

struct bw_settle_item failed(const char *id, const char *token, const char *reason,
                             unsigned attempts)
{
    return (struct bw_settle_item){ .kind = BW_SETTLE_FAILED,
                                    .id = text_of(id),
                                    .token = text_of(token),
                                    .value = text_of(reason),
                                    .has_failure = true,
                                    .reason = text_of(reason),
                                    .stacktrace = text_of("[\"trace\"]"),
                                    .attempts = attempts };
}

struct bw_settle_item retried(const char *id, const char *token, const char *reason)
{
    struct bw_settle_item item = failed(id, token, reason, 0);

    item.kind = BW_SETTLE_RETRY;
    return item;
}

struct bw_settle_item delayed(const char *id, const char *token, int64_t delay,
                              bool counts)
{
    struct bw_settle_item item = failed(id, token, "boom", 0);

    item.kind = BW_SETTLE_DELAY;
    item.delay_ms = delay;
    item.counts_attempt = item.has_failure = counts;
    return item;
}

struct bw_settle_item put_back(const char *id, const char *token)
{
    return (struct bw_settle_item){ .kind = BW_SETTLE_PUT_BACK,
                                    .id = text_of(id),
                                    .token = text_of(token) };
}
