#include "base/log_output.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bulwark/time.h>

#define LINE_MAX_LEN PIPE_BUF
#define LINE_TAIL    8 /* kept free for what closes a cut line */
#define PATIENCE_MS  100

static const char *const level_names[] = { "debug", "info", "warning", "error" };

struct line {
    size_t len;
    char text[LINE_MAX_LEN];
};

/* ---- pieces; each is written whole or not at all */

static bool put(struct line *line, const char *text, size_t len)
{
    if (line->len + len > sizeof line->text - LINE_TAIL)
        return false;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    return true;
}

static bool put_str(struct line *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* Out of the reserve: at most LINE_TAIL bytes in all. */
static void put_tail(struct line *line, const char *text)
{
    size_t len = strlen(text);

    memcpy(line->text + line->len, text, len);
    line->len += len;
}

/* The length of the UTF-8 sequence at `text`, which a byte that is none follows; 0 when
 * there is none. */
static size_t utf8_len(const unsigned char *text)
{
    size_t len = text[0] < 0x80                       ? 1
                 : text[0] >= 0xc2 && text[0] <= 0xdf ? 2
                 : text[0] >= 0xe0 && text[0] <= 0xef ? 3
                 : text[0] >= 0xf0 && text[0] <= 0xf4 ? 4
                                                      : 0;

    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    if (len == 3 && ((text[0] == 0xe0 && text[1] < 0xa0) ||
                     (text[0] == 0xed && text[1] > 0x9f))) /* overlong, surrogate */
        return 0;
    if (len == 4 &&
        ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f)))
        return 0;
    return len;
}

static bool put_escaped(struct line *line, unsigned char c)
{
    char escape[8];

    switch (c) {
    case '"':
        return put(line, "\\\"", 2);
    case '\\':
        return put(line, "\\\\", 2);
    case '\n':
        return put(line, "\\n", 2);
    case '\r':
        return put(line, "\\r", 2);
    case '\t':
        return put(line, "\\t", 2);
    default:
        (void)snprintf(escape, sizeof escape, "\\u%04x", c);
        return put_str(line, escape);
    }
}

/* A JSON string. False when it had to be cut; it is closed in any case. */
static bool put_quoted_len(struct line *line, const char *text, size_t text_len)
{
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + text_len;
    bool whole = true;

    if (!put(line, "\"", 1))
        return false;
    while (whole && at < end) {
        size_t len = utf8_len(at);

        if (len == 0 || len > (size_t)(end - at)) {
            whole = put_str(line, "\\ufffd");
            len = 1;
        } else if (len == 1 && (*at < 0x20 || *at == '"' || *at == '\\' || *at == 0x7f)) {
            whole = put_escaped(line, *at);
        } else {
            whole = put(line, (const char *)at, len);
        }
        at += len;
    }
    if (whole)
        whole = put(line, "\"", 1);
    if (!whole)
        put_tail(line, "\"");
    return whole;
}

static bool put_quoted(struct line *line, const char *text)
{
    return put_quoted_len(line, text, strlen(text));
}

static size_t text_len(const struct bw_log_field *field)
{
    return field->number >= 0 ? (size_t)field->number : strlen(field->text);
}

static bool put_number(struct line *line, int64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    return put_str(line, text);
}

static bool put_time(struct line *line)
{
    struct bw_wall now = bw_wall_now(NULL);
    time_t seconds = (time_t)(now.ms / 1000);
    struct tm tm;
    char text[40];
    size_t len;

    (void)gmtime_r(&seconds, &tm);
    len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + len, sizeof text - len, ".%03dZ", (int)(now.ms % 1000));
    return put_str(line, text);
}

/* ---- the two forms of a line. A field that no longer fits ends the line. */

static void json_line(struct line *line, const char *level, const char *message,
                      const struct bw_log_field *fields, size_t count)
{
    bool fits = put_str(line, "{\"time\":\"") && put_time(line) &&
                put_str(line, "\",\"level\":\"") && put_str(line, level) &&
                put_str(line, "\",\"message\":") && put_quoted(line, message);

    for (size_t i = 0; fits && i < count; i++) {
        size_t before = line->len;

        fits = put(line, ",", 1) && put_quoted(line, fields[i].key) && put(line, ":", 1);
        if (!fits || (fields[i].text == NULL && !put_number(line, fields[i].number))) {
            line->len = before; /* a key without a value would not be JSON */
            break;
        }
        if (fields[i].text != NULL) {
            size_t start = line->len;

            fits = put_quoted_len(line, fields[i].text, text_len(&fields[i]));
            if (!fits && line->len == start)
                line->len = before;
        }
    }
    put_tail(line, "}\n");
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return len > 0;
}

/* Messages are our own words, but a control character must not reach a terminal from
 * anywhere. */
static bool put_message(struct line *line, const char *message)
{
    for (; *message != '\0'; message++) {
        char c = (unsigned char)*message < ' ' ? ' ' : *message;

        if (!put(line, &c, 1))
            return false;
    }
    return true;
}

static bool put_text(struct line *line, const char *text, size_t len)
{
    return (is_plain(text, len) && put(line, text, len)) ||
           put_quoted_len(line, text, len);
}

static void text_line(struct line *line, const char *level, const char *message,
                      const struct bw_log_field *fields, size_t count)
{
    bool fits = put_time(line) && put(line, " ", 1) && put_str(line, level) &&
                put(line, "        ", 8 - strlen(level)) && put_message(line, message);

    for (size_t i = 0; fits && i < count; i++) {
        fits = put(line, " ", 1) && put_str(line, fields[i].key) && put(line, "=", 1);
        if (!fits)
            break;
        if (fields[i].text == NULL)
            fits = put_number(line, fields[i].number);
        else
            fits = put_text(line, fields[i].text, text_len(&fields[i]));
    }
    put_tail(line, "\n");
}

/* ---- output */

/* A pipe that is ready takes PIPE_BUF bytes without blocking. */
static bool is_ready(struct wk_log_output *output)
{
    struct pollfd pfd = { .fd = output->fd, .events = POLLOUT };
    bool stuck = __atomic_load_n(&output->stuck, __ATOMIC_RELAXED);

    return poll(&pfd, 1, stuck ? 0 : PATIENCE_MS) > 0;
}

static bool write_line(struct wk_log_output *output, const struct line *line)
{
    ssize_t done;

    if (!is_ready(output))
        return false;
    do
        done = write(output->fd, line->text, line->len);
    while (done < 0 && errno == EINTR);
    return done >= 0;
}

static void form_line(const struct wk_log_output *output, struct line *line,
                      enum bw_log_level level, const char *message,
                      const struct bw_log_field *fields, size_t count)
{
    line->len = 0;
    if (__atomic_load_n(&output->json, __ATOMIC_RELAXED))
        json_line(line, level_names[level], message, fields, count);
    else
        text_line(line, level_names[level], message, fields, count);
}

static void output_write(void *arg, enum bw_log_level level, const char *message,
                         const struct bw_log_field *fields, size_t count)
{
    struct wk_log_output *output = arg;
    int saved = errno; /* logging must not change what the caller is about to look at */
    struct line line;
    uint64_t dropped;

    form_line(output, &line, level, message, fields, count);
    if (!write_line(output, &line)) {
        (void)__atomic_add_fetch(&output->dropped, 1, __ATOMIC_RELAXED);
        __atomic_store_n(&output->stuck, true, __ATOMIC_RELAXED);
        errno = saved;
        return;
    }
    __atomic_store_n(&output->stuck, false, __ATOMIC_RELAXED);
    dropped = __atomic_exchange_n(&output->dropped, 0, __ATOMIC_RELAXED);
    if (dropped > 0) {
        struct bw_log_field lost = bw_num("lines", (int64_t)dropped);

        form_line(output, &line, BW_LOG_WARNING, "log lines were lost", &lost, 1);
        (void)write_line(output,
                         &line); /* only a remark; the lines themselves are gone */
    }
    errno = saved;
}

void wk_log_output_init(struct wk_log_output *output, int fd, enum bw_log_level level,
                        bool json)
{
    *output = (struct wk_log_output){ .fd = fd, .json = json };
    output->sink = (struct bw_log_sink){ level, output_write, output };
}

void wk_log_output_change(struct wk_log_output *output, enum bw_log_level level,
                          bool json)
{
    __atomic_store_n(&output->sink.level, level, __ATOMIC_RELAXED);
    __atomic_store_n(&output->json, json, __ATOMIC_RELAXED);
}
