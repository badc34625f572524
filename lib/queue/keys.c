/* The keys of one queue. */
#include "queue/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char *const suffixes[BW_KEY_COUNT] = {
    [BW_KEY_BASE] = "",
    [BW_KEY_WAIT] = "wait",
    [BW_KEY_PAUSED] = "paused",
    [BW_KEY_ACTIVE] = "active",
    [BW_KEY_PRIORITIZED] = "prioritized",
    [BW_KEY_PC] = "pc",
    [BW_KEY_DELAYED] = "delayed",
    [BW_KEY_COMPLETED] = "completed",
    [BW_KEY_FAILED] = "failed",
    [BW_KEY_WAITING_CHILDREN] = "waiting-children",
    [BW_KEY_STALLED] = "stalled",
    [BW_KEY_STALLED_CHECK] = "stalled-check",
    [BW_KEY_LIMITER] = "limiter",
    [BW_KEY_META] = "meta",
    [BW_KEY_ID] = "id",
    [BW_KEY_EVENTS] = "events",
    [BW_KEY_MARKER] = "marker",
    [BW_KEY_REPEAT] = "repeat",
    [BW_KEY_METRICS_COMPLETED] = "metrics:completed",
    [BW_KEY_METRICS_FAILED] = "metrics:failed",
};

int bw_keys_init(struct bw_keys *keys, const char *prefix, const char *queue,
                 struct bw_error *err)
{
    memset(keys, 0, sizeof(*keys));
    if (queue == NULL || *queue == '\0')
        return bw_error_set(err, BW_EINVAL, "queue name: must not be empty");
    if (strchr(queue, ':') != NULL)
        return bw_error_set(err, BW_EINVAL, "queue name: must not contain ':'");
    if (prefix == NULL)
        prefix = BW_DEFAULT_PREFIX;
    for (size_t i = 0; i < BW_KEY_COUNT; i++) {
        size_t size = strlen(prefix) + strlen(queue) + strlen(suffixes[i]) + 3;

        keys->text[i] = bw_alloc(size);
        if (keys->text[i] == NULL) {
            bw_keys_fini(keys);
            return bw_error_set(err, BW_ENOMEM, "queue keys: out of memory");
        }
        keys->len[i] = size - 1;
        (void)snprintf(keys->text[i], size, "%s:%s:%s", prefix, queue, suffixes[i]);
    }
    return BW_OK;
}

void bw_keys_fini(struct bw_keys *keys)
{
    for (size_t i = 0; i < BW_KEY_COUNT; i++)
        free(keys->text[i]);
    memset(keys, 0, sizeof(*keys));
}

static void base64(char *out, const unsigned char *in, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        unsigned bits = (unsigned)in[i] << 16;

        if (i + 1 < len)
            bits |= (unsigned)in[i + 1] << 8;
        if (i + 2 < len)
            bits |= in[i + 2];
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    *out = '\0';
}

/* CLIENT SETNAME takes '!' to '~' only. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < '!' || *text > '~')
            *text = '_';
    }
}

char *bw_keys_client_name(const char *prefix, const char *queue, const char *worker_name)
{
    size_t queue_len = strlen(queue);
    char *encoded = bw_alloc((queue_len + 2) / 3 * 4 + 1);
    char *name = NULL;

    if (encoded == NULL)
        return NULL;
    base64(encoded, (const unsigned char *)queue, queue_len);
    if (prefix == NULL)
        prefix = BW_DEFAULT_PREFIX;
    size_t size = strlen(prefix) + strlen(encoded) +
                  (worker_name != NULL ? strlen(worker_name) : 0) + 8;
    name = bw_alloc(size);
    if (name != NULL) {
        (void)snprintf(name, size, "%s:%s%s%s", prefix, encoded,
                       worker_name != NULL ? ":w:" : "",
                       worker_name != NULL ? worker_name : "");
        make_printable(name);
    }
    free(encoded);
    return name;
}
