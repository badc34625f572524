/* JSON as text: checked and cut into pieces without being rebuilt, so that what passes
 * through keeps its numbers, its order and its escapes to the byte. jansson refuses some
 * valid texts (large integers, lone surrogates) and prints others differently.
 *
 * Any thread. Pieces borrow from the text they were cut from. */
#ifndef WORKER_HANDLERS_EXEC_JSON_H
#define WORKER_HANDLERS_EXEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>

struct ex_slice { /* at NULL: absent */
    const char *at;
    size_t len;
};

/* One JSON value in UTF-8, nested at most 1024 deep, with white space around it. */
bool ex_json_valid(struct ex_slice text);

/* Calls `member` for each member of an object: its key without quotes, as written, and
 * its value. False when the text is not one JSON object; members may have come before. */
bool ex_json_members(struct ex_slice text,
                     void (*member)(void *arg, struct ex_slice key,
                                    struct ex_slice value),
                     void *arg);

bool ex_slice_is(struct ex_slice slice, const char *text);

/* A number without fraction that fits; false for anything else. */
bool ex_json_integer(struct ex_slice value, int64_t *out);

/* Appends what a string value stands for, NULs included; lone surrogates become U+FFFD. A
 * value of another type is appended as it is written. */
BW_MUSTCHECK int ex_json_decode(struct ex_slice value, struct bw_buf *out);

/* Appends a string value, quotes included; what is not UTF-8 becomes U+FFFD. */
BW_MUSTCHECK int ex_json_add_string(struct bw_buf *out, const char *text, size_t len);

/* Appends valid JSON unchanged, but for line breaks between its tokens, which become
 * spaces. */
BW_MUSTCHECK int ex_json_add_line(struct bw_buf *out, struct ex_slice value);

/* Appends valid JSON without the white space between its tokens: as JSON.stringify() has
 * it. */
BW_MUSTCHECK int ex_json_add_compact(struct bw_buf *out, struct ex_slice value);

#endif
