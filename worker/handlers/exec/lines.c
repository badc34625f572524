#include "handlers/exec/lines.h"

#include <string.h>

#include "base/assert.h"

int ex_lines_feed(struct ex_lines *lines, const char *data, size_t len)
{
    BW_ASSERT(lines->start <= lines->scanned && lines->scanned <= lines->buf.len);
    if (lines->start > 0) {
        bw_buf_consume(&lines->buf, lines->start);
        lines->scanned -= lines->start;
        lines->start = 0;
    }
    return bw_buf_add(&lines->buf, data, len);
}

static void take(struct ex_lines *lines, size_t end, size_t next, struct ex_slice *line)
{
    BW_ASSERT(lines->start <= end && end <= next && next <= lines->buf.len);
    *line = (struct ex_slice){ lines->buf.data + lines->start, end - lines->start };
    lines->start = next;
    lines->scanned = next;
}

enum ex_line ex_lines_next(struct ex_lines *lines, struct ex_slice *line)
{
    const char *end = NULL;
    size_t len;

    BW_ASSERT(lines->max > 0); /* else every line is too long, for ever */
    if (lines->scanned < lines->buf.len)
        end = memchr(lines->buf.data + lines->scanned, '\n',
                     lines->buf.len - lines->scanned);
    lines->scanned = end != NULL ? (size_t)(end - lines->buf.data) : lines->buf.len;
    len = lines->scanned - lines->start;
    if (len > lines->max) {
        take(lines, lines->start + lines->max, lines->start + lines->max, line);
        return EX_LINE_TOO_LONG;
    }
    if (end == NULL)
        return EX_LINE_NONE;
    take(lines, lines->scanned, lines->scanned + 1, line);
    return EX_LINE_WHOLE;
}

bool ex_lines_rest(struct ex_lines *lines, struct ex_slice *line)
{
    if (lines->start == lines->buf.len)
        return false;
    take(lines, lines->buf.len, lines->buf.len, line);
    return true;
}

void ex_lines_fini(struct ex_lines *lines)
{
    bw_buf_fini(&lines->buf);
    lines->start = 0;
    lines->scanned = 0;
}
