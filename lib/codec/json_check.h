/* Whether bytes are JSON, without building anything from them. Any thread. */
#ifndef BW_CODEC_JSON_CHECK_H
#define BW_CODEC_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#define BW_JSON_DEPTH_MAX 2048 /* arrays and objects within each other */

/* True when the `len` bytes are wholly one JSON value, blanks around it included. What is
 * in strings beyond ASCII is not looked at. */
bool bw_json_check(const char *text, size_t len);
/* The same; where it is not, `*byte` is the first one (from 1) that cannot be. */
bool bw_json_check_at(const char *text, size_t len, size_t *byte);

#endif
