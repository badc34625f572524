#include <bulwark/redis.h>

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
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
                      struct bw_redis_url_notes *notes, struct bw_error *err)
{
    int64_t port;
    int rc;

    if (part.len == 0)
        return BW_OK;
    notes->has_port = true;
    rc = parse_number(part, "port", 1, 65535, &port, err);
    if (rc == BW_OK)
        options->port = (uint16_t)port;
    return rc;
}

/* "host", "host:port", "[v6]", "[v6]:port"; an empty host is the default one. */
static int parse_address(struct bw_redis_options *options, struct text part,
                         struct bw_redis_url_notes *notes, struct bw_error *err)
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
        rc = parse_port(options, part_of(host_end + 1, end), notes, err);
    return rc;
}

static int parse_db(struct bw_redis_options *options, struct text part,
                    struct bw_redis_url_notes *notes, struct bw_error *err)
{
    int64_t db;
    int rc;

    if (part.len == 0 || notes->has_db)
        return BW_OK;
    notes->has_db = true;
    rc = parse_number(part, "database", 0, DB_MAX, &db, err);
    if (rc == BW_OK)
        options->db = (int)db;
    return rc;
}

/* --- the query: what ioredis takes from there as well. The URL itself goes first. */

static int param_db(struct bw_redis_options *options, struct text value,
                    struct bw_redis_url_notes *notes, struct bw_error *err)
{
    return parse_db(options, value, notes, err);
}

static int param_username(struct bw_redis_options *options, struct text value,
                          struct bw_redis_url_notes *notes, struct bw_error *err)
{
    (void)notes;
    return options->username != NULL || value.len == 0
               ? BW_OK
               : decode(value, "user", &options->username, err);
}

static int param_password(struct bw_redis_options *options, struct text value,
                          struct bw_redis_url_notes *notes, struct bw_error *err)
{
    (void)notes;
    return options->password != NULL || value.len == 0
               ? BW_OK
               : decode(value, "password", &options->password, err);
}

static int param_family(struct bw_redis_options *options, struct text value,
                        struct bw_redis_url_notes *notes, struct bw_error *err)
{
    int64_t family = -1;

    (void)notes;
    if (!bw_num_parse(value.at, value.len, 0, 6, &family) ||
        (family != 0 && family != 4 && family != 6))
        return bw_error_set(err, BW_EINVAL, "Redis URL: family: must be 0, 4 or 6");
    options->family = (int)family;
    return BW_OK;
}

static int param_timeout(struct bw_redis_options *options, struct text value,
                         struct bw_redis_url_notes *notes, struct bw_error *err)
{
    int64_t ms = 0;
    int rc = parse_number(value, "connectTimeout", 1, INT_MAX, &ms, err);

    if (rc == BW_OK) {
        options->connect_timeout_ms = (unsigned)ms;
        notes->has_timeout = true;
    }
    return rc;
}

static const struct {
    const char *name;
    int (*take)(struct bw_redis_options *options, struct text value,
                struct bw_redis_url_notes *notes, struct bw_error *err);
} params[] = {
    { "db", param_db },
    { "username", param_username },
    { "password", param_password },
    { "family", param_family },
    { "connectTimeout", param_timeout },
};

/* Only what is surely a name is shown: the rest may be a part of a password with '?'. */
static void note_unknown(struct bw_redis_url_notes *notes, struct text name, bool valued)
{
    size_t len = strlen(notes->unknown);
    bool is_name = valued && name.len > 0 && name.len <= 32;

    for (size_t i = 0; i < name.len && is_name; i++)
        is_name = isalnum((unsigned char)name.at[i]) || strchr("_-.", name.at[i]) != NULL;
    (void)snprintf(notes->unknown + len, sizeof notes->unknown - len, "%s%.*s",
                   len > 0 ? ", " : "", is_name ? (int)name.len : 1,
                   is_name ? name.at : "?");
}

static int take_param(struct bw_redis_options *options, struct text part,
                      struct bw_redis_url_notes *notes, struct bw_error *err)
{
    const char *equals = memchr(part.at, '=', part.len);
    const char *end = part.at + part.len;
    struct text name = part_of(part.at, equals != NULL ? equals : end);
    struct text value = part_of(equals != NULL ? equals + 1 : end, end);

    if (memchr(part.at, '@', part.len) != NULL && equals == NULL)
        return bw_error_set(err, BW_EINVAL,
                            "Redis URL: query: an \"@\" without a name: is there a \"?\" "
                            "in the password? It is written %%3F");
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        if (strlen(params[i].name) == name.len &&
            strncasecmp(params[i].name, name.at, name.len) == 0)
            return params[i].take(options, value, notes, err);
    }
    if (part.len > 0)
        note_unknown(notes, name, equals != NULL);
    return BW_OK;
}

static int parse_query(struct bw_redis_options *options, const char *query,
                       struct bw_redis_url_notes *notes, struct bw_error *err)
{
    int rc = BW_OK;

    while (rc == BW_OK && *query != '\0') {
        size_t len = strcspn(query, "&");

        rc = take_param(options, (struct text){ query, len }, notes, err);
        query += len;
        query += *query == '&';
    }
    return rc;
}

/* --- URLs */

/* After "redis://" or "rediss://". */
static int parse_network(struct bw_redis_options *options, const char *rest,
                         struct bw_redis_url_notes *notes, struct bw_error *err)
{
    const char *query = rest + strcspn(rest, "?");
    const char *slash = memchr(rest, '/', (size_t)(query - rest));
    const char *end = slash != NULL ? slash : query;
    const char *at = memrchr(rest, '@', (size_t)(end - rest));
    int rc = BW_OK;

    if (at != NULL)
        rc = parse_login(options, part_of(rest, at), err);
    if (rc == BW_OK)
        rc = parse_address(options, part_of(at != NULL ? at + 1 : rest, end), notes, err);
    if (rc == BW_OK && slash != NULL)
        rc = parse_db(options, part_of(slash + 1, query), notes, err);
    if (rc == BW_OK && *query == '?')
        rc = parse_query(options, query + 1, notes, err);
    return rc;
}

/* After "unix://": "[user:password@]/path?db=n". */
static int parse_unix(struct bw_redis_options *options, const char *rest,
                      struct bw_redis_url_notes *notes, struct bw_error *err)
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
        rc = parse_query(options, query + 1, notes, err);
    return rc;
}

static int parse_scheme(struct bw_redis_options *options, const char *url,
                        struct bw_redis_url_notes *notes, struct bw_error *err)
{
    if (strncasecmp(url, "redis://", 8) == 0)
        return parse_network(options, url + 8, notes, err);
    if (strncasecmp(url, "rediss://", 9) == 0) {
        options->tls = true;
        return parse_network(options, url + 9, notes, err);
    }
    if (strncasecmp(url, "unix://", 7) == 0)
        return parse_unix(options, url + 7, notes, err);
    return bw_error_set(err, BW_EINVAL,
                        "Redis URL: scheme: redis://, rediss:// or unix:// is expected");
}

int bw_redis_options_parse_url(struct bw_redis_options *options, const char *url,
                               struct bw_redis_url_notes *notes, struct bw_error *err)
{
    struct bw_redis_url_notes own;
    int rc;

    if (notes == NULL)
        notes = &own;
    *notes = (struct bw_redis_url_notes){ 0 };

    *options = (struct bw_redis_options){
        .port = DEFAULT_PORT,
        .connect_timeout_ms = DEFAULT_TIMEOUT_MS,
    };
    options->host = bw_strdup(DEFAULT_HOST);
    if (options->host == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    rc = parse_scheme(options, url, notes, err);
    if (rc != BW_OK)
        bw_redis_options_fini(options);
    return rc;
}

int bw_redis_options_parse(struct bw_redis_options *options, const char *url,
                           struct bw_error *err)
{
    return bw_redis_options_parse_url(options, url, NULL, err);
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
