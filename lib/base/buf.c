#include <bulwark/buf.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/error.h>

#include "base/alloc.h"

enum { SMALLEST = 64 };

int bw_buf_reserve(struct bw_buf *buf, size_t more)
{
    size_t need, cap;
    char *data;

    if (more > SIZE_MAX / 2 - buf->len - 1)
        return BW_ENOMEM;
    need = buf->len + more + 1;
    if (need <= buf->cap)
        return BW_OK;
    cap = buf->cap * 2 > need ? buf->cap * 2 : need;
    if (cap < SMALLEST)
        cap = SMALLEST;
    data = bw_realloc(buf->data, cap);
    if (data == NULL)
        return BW_ENOMEM;
    data[buf->len] = '\0';
    buf->data = data;
    buf->cap = cap;
    return BW_OK;
}

int bw_buf_add(struct bw_buf *buf, const void *data, size_t len)
{
    if (bw_buf_reserve(buf, len) != BW_OK)
        return BW_ENOMEM;
    if (len > 0)
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

int bw_buf_vaddf(struct bw_buf *buf, const char *format, va_list args)
{
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0 || bw_buf_reserve(buf, (size_t)len) != BW_OK)
        return BW_ENOMEM;
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    buf->len += (size_t)len;
    return BW_OK;
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
    char *data;

    if (buf->data == NULL && bw_buf_reserve(buf, 0) != BW_OK)
        return NULL;
    data = buf->data;
    *buf = (struct bw_buf)BW_BUF_INIT;
    return data;
}
