/* Foreign bytes as JSON. Lenient: what is not UTF-8 becomes U+FFFD, byte by byte. */
#ifndef BW_QUEUE_JSON_TEXT_H
#define BW_QUEUE_JSON_TEXT_H

#include <stddef.h>

#include <jansson.h>

#include <bulwark/api.h>
#include <bulwark/buf.h>

/* New; NULL when memory is out. */
json_t *bw_json_string(const char *data, size_t len);
/* Appends the value's compact text. BW_ENOMEM. */
BW_MUSTCHECK int bw_json_add(struct bw_buf *out, const json_t *value);
/* Appends a JSON string. */
BW_MUSTCHECK int bw_json_add_string(struct bw_buf *out, const char *data, size_t len);
/* Appends JSON text as it stands, and what is none as a string. */
BW_MUSTCHECK int bw_json_add_text(struct bw_buf *out, const char *data, size_t len);

#endif
