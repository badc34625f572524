#include <bulwark/buf.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/error.h>

#include "base/alloc.h"

#define CAP_MIN ((size_t)64)

/* The next capacity that holds `need` bytes: doubling, so that n appends cost O(n). */
static size_t grown(size_t cap, size_t need)
{
    size_t twice = cap <= SIZE_MAX / 2 ? cap * 2 : SIZE_MAX;

    if (twice < CAP_MIN)
        twice = CAP_MIN;
    return twice > need ? twice : need;
}

int bw_buf_reserve(struct bw_buf *buf, size_t more)
{
    char *data;
    size_t need, cap;

    if (more > SIZE_MAX - buf->len - 1)
        return BW_ENOMEM;
    need = buf->len + more + 1;
    if (need <= buf->cap)
        return BW_OK;
    cap = grown(buf->cap, need);
    data = bw_realloc(buf->data, cap);
    if (data == NULL)
        return BW_ENOMEM;
    buf->data = data;
    buf->cap = cap;
    buf->data[buf->len] = '\0';
    return BW_OK;
}

int bw_buf_add(struct bw_buf *buf, const void *data, size_t len)
{
    int rc = bw_buf_reserve(buf, len);

    if (rc != BW_OK)
        return rc;
    if (len != 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return BW_OK;
}

int bw_buf_add_str(struct bw_buf *buf, const char *text)
{
    return bw_buf_add(buf, text, strlen(text));
}

int bw_buf_add_char(struct bw_buf *buf, char c)
{
    return bw_buf_add(buf, &c, 1);
}

int bw_buf_addf(struct bw_buf *buf, const char *format, ...)
{
    va_list args;
    int rc;

    va_start(args, format);
    rc = bw_buf_vaddf(buf, format, args);
    va_end(args);
    return rc;
}

int bw_buf_vaddf(struct bw_buf *buf, const char *format, va_list args)
{
    va_list again;
    int len, rc;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        return BW_ENOMEM; /* the only failure the header knows: more than INT_MAX bytes */
    rc = bw_buf_reserve(buf, (size_t)len);
    if (rc != BW_OK)
        return rc;
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format,
                    args); /* measured above */
    buf->len += (size_t)len;
    return BW_OK;
}

const char *bw_buf_text(const struct bw_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

void bw_buf_consume(struct bw_buf *buf, size_t len)
{
    if (len >= buf->len) {
        bw_buf_clear(buf);
        return;
    }
    memmove(buf->data, buf->data + len, buf->len - len + 1);
    buf->len -= len;
}

void bw_buf_clear(struct bw_buf *buf)
{
    buf->len = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void bw_buf_fini(struct bw_buf *buf)
{
    free(buf->data);
    *buf = (struct bw_buf)BW_BUF_INIT;
}

char *bw_buf_take(struct bw_buf *buf)
{
    char *data = buf->data != NULL ? buf->data : bw_memdup("", 0);

    *buf = (struct bw_buf)BW_BUF_INIT;
    return data;
}
