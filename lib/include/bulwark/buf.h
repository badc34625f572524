/* A growing run of bytes, always followed by a NUL that is not counted.
 *
 * Storage of the caller; one thread at a time. A zeroed struct is an empty buffer. Growth
 * is checked against overflow. After a failed append the buffer is unchanged. */
#ifndef BULWARK_BUF_H
#define BULWARK_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include <bulwark/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bw_buf {
    char *data; /* NULL while nothing was ever appended */
    size_t len;
    size_t cap;
};

#define BW_BUF_INIT                                                                      \
    {                                                                                    \
        NULL, 0, 0                                                                       \
    }

/* Each returns BW_OK or BW_ENOMEM. */
BW_MUSTCHECK BW_API int bw_buf_reserve(struct bw_buf *buf, size_t more);
BW_MUSTCHECK BW_API int bw_buf_add(struct bw_buf *buf, const void *data, size_t len);
BW_MUSTCHECK BW_API int bw_buf_add_str(struct bw_buf *buf, const char *text);
BW_MUSTCHECK BW_API int bw_buf_add_char(struct bw_buf *buf, char c);
BW_MUSTCHECK BW_API int bw_buf_addf(struct bw_buf *buf, const char *format, ...)
    BW_PRINTF(2, 3);
BW_MUSTCHECK BW_API int bw_buf_vaddf(struct bw_buf *buf, const char *format, va_list args)
    BW_PRINTF(2, 0);

/* Borrowed: the text, "" when empty. Valid until the next change. */
BW_API const char *bw_buf_text(const struct bw_buf *buf);

/* Drops the first `len` bytes (at most all). */
BW_API void bw_buf_consume(struct bw_buf *buf, size_t len);
/* Empties, keeps the memory. */
BW_API void bw_buf_clear(struct bw_buf *buf);
/* Empties and frees; the struct is a fresh empty buffer afterwards. */
BW_API void bw_buf_fini(struct bw_buf *buf);
/* New: the caller frees it with free(); the buffer is empty afterwards. NULL when the
 * buffer never held anything and memory is out. */
BW_API char *bw_buf_take(struct bw_buf *buf);

#ifdef __cplusplus
}
#endif

#endif
