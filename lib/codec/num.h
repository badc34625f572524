/* Numbers as decimal text, strictly: no blanks, no sign but one '-', no overflow. Any
 * thread. */
#ifndef BW_CODEC_NUM_H
#define BW_CODEC_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BW_NUM_LEN_MAX 20 /* of "-9223372036854775808" */

/* False when the `len` bytes are not wholly one integer in [min, max]; `out` is then
 * unchanged. */
bool bw_num_parse(const char *text, size_t len, int64_t min, int64_t max, int64_t *out);

/* Writes the number without a NUL and returns its length. */
size_t bw_num_format(char out[BW_NUM_LEN_MAX], int64_t number);

#endif
