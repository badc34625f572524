#include <bulwark/redis.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/buf.h>

#include "base/alloc.h"
#include "codec/num.h"

#define DEFAULT_HOST       "127.0.0.1"
#define DEFAULT_PORT       6379
#define DEFAULT_TIMEOUT_MS 5000
#define DB_MAX             65535 /* far above what any server is configured for */

struct text { /* a part of the URL */
    const char *at;
    size_t len;
};

/* --- percent encoding */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One decoded byte at *i, which moves on; -1: no valid encoding, or a NUL. */
static int decode_byte(struct text part, size_t *i)
{
    char c = part.at[(*i)++];
    int high, low;

    if (c != '%')
        return (unsigned char)c;
    if (part.len - *i < 2)
        return -1;
    high = hex_digit(part.at[*i]);
    low = hex_digit(part.at[*i + 1]);
    *i += 2;
    if (high < 0 || low < 0 || (high | low) == 0)
        return -1;
    return high << 4 | low;
}

/* New text in *out. The position in the message is the part's own: the URL may hold a
 * password. */
static int decode(struct text part, const char *what, char **out, struct bw_error *err)
{
    char *text = bw_alloc(part.len + 1);
    size_t len = 0;

    if (text == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    for (size_t i = 0; i < part.len;) {
        size_t start = i;
        int byte = decode_byte(part, &i);

        if (byte < 0) {
            free(text);
            return bw_error_set(err, BW_EINVAL,
                                "Redis URL: %s: bad percent encoding at byte %zu", what,
                                start);
        }
        text[len++] = (char)byte;
    }
    text[len] = '\0';
    free(*out);
    *out = text;
    return BW_OK;
}

/* --- parts */

static struct text part_of(const char *at, const char *end)
{
    return (struct text){ at, (size_t)(end - at) };
}

static int parse_number(struct text part, const char *what, int64_t min, int64_t max,
                        int64_t *out, struct bw_error *err)
{
    if (bw_num_parse(part.at, part.len, min, max, out))
        return BW_OK;
    return bw_error_set(err, BW_EINVAL,
                        "Redis URL: the %s must be a number from %lld to %lld", what,
                        (long long)min, (long long)max);
}

/* "user:password", "user", or ":password". An empty one counts as none. */
static int parse_login(struct bw_redis_options *options, struct text part,
                       struct bw_error *err)
{
    const char *end = part.at + part.len;
    const char *colon = memchr(part.at, ':', part.len);
    struct text user = part_of(part.at, colon != NULL ? colon : end);
    int rc = BW_OK;

    if (user.len > 0)
        rc = decode(user, "user", &options->username, err);
    if (rc == BW_OK && colon != NULL && end > colon + 1)
        rc = decode(part_of(colon + 1, end), "password", &options->password, err);
    return rc;
}

static int parse_port(struct bw_redis_options *options, struct text part,
                      struct bw_error *err)
{
    int64_t port;
    int rc;

    if (part.len == 0)
        return BW_OK;
    rc = parse_number(part, "port", 1, 65535, &port, err);
    if (rc == BW_OK)
        options->port = (uint16_t)port;
    return rc;
}

/* "host", "host:port", "[v6]", "[v6]:port"; an empty host is the default one. */
static int parse_address(struct bw_redis_options *options, struct text part,
                         struct bw_error *err)
{
    const char *end = part.at + part.len;
    const char *host_end, *colon;
    int rc = BW_OK;

    if (part.len > 0 && part.at[0] == '[') {
        host_end = memchr(part.at, ']', part.len);
        if (host_end == NULL || (host_end + 1 < end && host_end[1] != ':'))
            return bw_error_set(err, BW_EINVAL, "Redis URL: host: '[' is not closed");
        rc = decode(part_of(part.at + 1, host_end), "host", &options->host, err);
        host_end++;
    } else {
        colon = memchr(part.at, ':', part.len);
        host_end = colon != NULL ? colon : end;
        if (host_end > part.at)
            rc = decode(part_of(part.at, host_end), "host", &options->host, err);
    }
    if (rc == BW_OK && options->host[0] == '\0')
        return bw_error_set(err, BW_EINVAL, "Redis URL: host: it is empty");
    if (rc == BW_OK && host_end < end)
        rc = parse_port(options, part_of(host_end + 1, end), err);
    return rc;
}

static int parse_db(struct bw_redis_options *options, struct text part,
                    struct bw_error *err)
{
    int64_t db;
    int rc;

    if (part.len == 0)
        return BW_OK;
    rc = parse_number(part, "database", 0, DB_MAX, &db, err);
    if (rc == BW_OK)
        options->db = (int)db;
    return rc;
}

/* Of the query only `db` means something to us; clients in other languages put more
 * there. */
static int parse_query(struct bw_redis_options *options, const char *query,
                       struct bw_error *err)
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&");

        if (len > 3 && strncmp(query, "db=", 3) == 0) {
            int rc = parse_db(options, (struct text){ query + 3, len - 3 }, err);

            if (rc != BW_OK)
                return rc;
        }
        query += len;
        query += *query == '&';
    }
    return BW_OK;
}

/* --- URLs */

/* After "redis://" or "rediss://". */
static int parse_network(struct bw_redis_options *options, const char *rest,
                         struct bw_error *err)
{
    const char *query = rest + strcspn(rest, "?");
    const char *slash = memchr(rest, '/', (size_t)(query - rest));
    const char *end = slash != NULL ? slash : query;
    const char *at = memrchr(rest, '@', (size_t)(end - rest));
    int rc = BW_OK;

    if (at != NULL)
        rc = parse_login(options, part_of(rest, at), err);
    if (rc == BW_OK)
        rc = parse_address(options, part_of(at != NULL ? at + 1 : rest, end), err);
    if (rc == BW_OK && slash != NULL)
        rc = parse_db(options, part_of(slash + 1, query), err);
    if (rc == BW_OK && *query == '?')
        rc = parse_query(options, query + 1, err);
    return rc;
}

/* After "unix://": "[user:password@]/path?db=n". */
static int parse_unix(struct bw_redis_options *options, const char *rest,
                      struct bw_error *err)
{
    const char *query = rest + strcspn(rest, "?");
    const char *slash = memchr(rest, '/', (size_t)(query - rest));
    int rc = BW_OK;

    if (slash == NULL || (slash > rest && slash[-1] != '@'))
        return bw_error_set(err, BW_EINVAL,
                            "Redis URL: path: unix:// needs an absolute path");
    if (slash > rest)
        rc = parse_login(options, part_of(rest, slash - 1), err);
    if (rc == BW_OK)
        rc = decode(part_of(slash, query), "path", &options->path, err);
    if (rc == BW_OK && *query == '?')
        rc = parse_query(options, query + 1, err);
    return rc;
}

static int parse_scheme(struct bw_redis_options *options, const char *url,
                        struct bw_error *err)
{
    if (strncasecmp(url, "redis://", 8) == 0)
        return parse_network(options, url + 8, err);
    if (strncasecmp(url, "rediss://", 9) == 0) {
        options->tls = true;
        return parse_network(options, url + 9, err);
    }
    if (strncasecmp(url, "unix://", 7) == 0)
        return parse_unix(options, url + 7, err);
    return bw_error_set(err, BW_EINVAL,
                        "Redis URL: scheme: redis://, rediss:// or unix:// is expected");
}

int bw_redis_options_parse(struct bw_redis_options *options, const char *url,
                           struct bw_error *err)
{
    int rc;

    *options = (struct bw_redis_options){
        .port = DEFAULT_PORT,
        .connect_timeout_ms = DEFAULT_TIMEOUT_MS,
    };
    options->host = bw_strdup(DEFAULT_HOST);
    if (options->host == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    rc = parse_scheme(options, url, err);
    if (rc != BW_OK)
        bw_redis_options_fini(options);
    return rc;
}

/* --- copies */

static bool dup_text(char **to, const char *from)
{
    *to = from != NULL ? bw_strdup(from) : NULL;
    return from == NULL || *to != NULL;
}

int bw_redis_options_dup(struct bw_redis_options *to, const struct bw_redis_options *from,
                         struct bw_error *err)
{
    bool copied;

    *to = *from;
    to->host = to->path = to->username = to->password = to->ca_file = NULL;
    copied = dup_text(&to->host, from->host) && dup_text(&to->path, from->path) &&
             dup_text(&to->username, from->username) &&
             dup_text(&to->password, from->password) &&
             dup_text(&to->ca_file, from->ca_file);
    if (copied)
        return BW_OK;
    bw_redis_options_fini(to);
    return bw_error_set(err, BW_ENOMEM, "out of memory");
}

void bw_redis_options_fini(struct bw_redis_options *options)
{
    if (options->password != NULL)
        explicit_bzero(options->password, strlen(options->password));
    free(options->host);
    free(options->path);
    free(options->username);
    free(options->password);
    free(options->ca_file);
    *options = (struct bw_redis_options){ 0 };
}
