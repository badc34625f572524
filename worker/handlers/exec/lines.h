/* Bytes that come in pieces, cut into lines of a bounded length. One thread. */
#ifndef WORKER_HANDLERS_EXEC_LINES_H
#define WORKER_HANDLERS_EXEC_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/buf.h>

#include "handlers/exec/json.h"

struct ex_lines { /* zeroed but for `max`: empty */
    struct bw_buf buf;
    size_t start;   /* of the line that is next */
    size_t scanned; /* up to here there is no line end */
    size_t max;     /* bytes of a line, its end not counted */
};

enum ex_line { EX_LINE_NONE, EX_LINE_WHOLE, EX_LINE_TOO_LONG };

BW_MUSTCHECK int ex_lines_feed(struct ex_lines *lines, const char *data, size_t len);

/* The next line without its end. Valid until the next call of any of these. TOO_LONG: the
 * line has its first bytes; what follows of it comes as further lines. */
enum ex_line ex_lines_next(struct ex_lines *lines, struct ex_slice *line);

/* What is left without an end, as a line; false when nothing is. */
bool ex_lines_rest(struct ex_lines *lines, struct ex_slice *line);

void ex_lines_fini(struct ex_lines *lines);

#endif
