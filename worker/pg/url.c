#include "pg/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bulwark/buf.h>

#define CONNECTIONS_MAX 1000
#define SECONDS_MAX     86400

struct span {
    const char *at;
    size_t len;
};

/* --- small tools */

static int out_of_memory(struct bw_error *err)
{
    return bw_error_set(err, BW_ENOMEM, "database URL: out of memory");
}

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

/* New: the text with percent encoding undone. `part` names it in errors. */
static int decode(char **out, struct span span, const char *part, struct bw_error *err)
{
    char *text = malloc(span.len + 1);
    size_t len = 0;

    if (text == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < span.len; i++) {
        int high;
        int low;

        if (span.at[i] != '%') {
            text[len++] = span.at[i];
            continue;
        }
        high = i + 1 < span.len ? hex_digit(span.at[i + 1]) : -1;
        low = i + 2 < span.len ? hex_digit(span.at[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(text);
            return bw_error_set(err, BW_EINVAL,
                                "database URL: %s: bad percent encoding at byte %zu",
                                part, i + 1);
        }
        text[len++] = (char)(high * 16 + low);
        i += 2;
    }
    text[len] = '\0';
    *out = text;
    return BW_OK;
}

static struct span until(struct span *rest, const char *stops)
{
    struct span found = { rest->at, 0 };

    while (found.len < rest->len && strchr(stops, rest->at[found.len]) == NULL)
        found.len++;
    rest->at += found.len;
    rest->len -= found.len;
    return found;
}

static void skip_one(struct span *rest)
{
    rest->at++;
    rest->len--;
}

/* --- keywords */

static size_t find(const struct pg_url *url, const char *key)
{
    size_t i = 0;

    while (i < url->count && strcmp(url->keys[i], key) != 0)
        i++;
    return i;
}

const char *pg_url_get(const struct pg_url *url, const char *key)
{
    size_t i = find(url, key);

    return i < url->count ? url->values[i] : NULL;
}

/* Takes `value`, on failure too. */
static int set_take(struct pg_url *url, const char *key, char *value)
{
    size_t i = find(url, key);

    if (value == NULL || i == PG_URL_MAX) {
        free(value);
        return BW_ENOMEM;
    }
    free(url->values[i]);
    url->keys[i] = key;
    url->values[i] = value;
    if (i == url->count)
        url->count++;
    return BW_OK;
}

int pg_url_set(struct pg_url *url, const char *key, const char *value)
{
    return set_take(url, key, strdup(value));
}

static int set_decoded(struct pg_url *url, const char *key, struct span span,
                       struct bw_error *err)
{
    char *value;
    int rc = decode(&value, span, key, err);

    if (rc != BW_OK)
        return rc;
    return set_take(url, key, value) == BW_OK ? BW_OK : out_of_memory(err);
}

/* --- parameters after the '?' */

enum kind {
    PASS, /* libpq's own */
    SKIP, /* Prisma's, without a meaning here */
    SCHEMA,
    CONNECTION_LIMIT,
    CONNECT_TIMEOUT,
    PGBOUNCER,
    STATEMENT_CACHE_SIZE,
    SSL_MODE,
    SSL_ACCEPT,
    SSL_CERT
};

static const struct parameter {
    const char *name;
    enum kind kind;
} parameters[] = {
    { "schema", SCHEMA },
    { "connection_limit", CONNECTION_LIMIT },
    { "connect_timeout", CONNECT_TIMEOUT },
    { "pgbouncer", PGBOUNCER },
    { "statement_cache_size", STATEMENT_CACHE_SIZE },
    { "sslmode", SSL_MODE },
    { "sslaccept", SSL_ACCEPT },
    { "sslcert", SSL_CERT },
    { "pool_timeout", SKIP },
    { "socket_timeout", SKIP },
    { "sslidentity", SKIP }, /* PKCS#12, which libpq cannot read */
    { "host", PASS },
    { "hostaddr", PASS },
    { "port", PASS },
    { "dbname", PASS },
    { "user", PASS },
    { "password", PASS },
    { "passfile", PASS },
    { "application_name", PASS },
    { "options", PASS },
    { "channel_binding", PASS },
    { "require_auth", SKIP }, /* from libpq 16 on only */
    { "keepalives", PASS },
    { "keepalives_idle", PASS },
    { "keepalives_interval", PASS },
    { "keepalives_count", PASS },
    { "tcp_user_timeout", PASS },
    { "target_session_attrs", PASS },
    { "gssencmode", PASS },
    { "krbsrvname", PASS },
    { "sslkey", PASS },
    { "sslpassword", PASS },
    { "sslrootcert", PASS },
    { "sslcrl", PASS },
    { "sslsni", PASS },
    { "ssl_min_protocol_version", PASS },
    { "ssl_max_protocol_version", PASS },
};

/* What is seen on the way and can be judged only at the end. */
struct draft {
    char *ssl_accept;
    char *ssl_cert;
};

static const struct parameter *parameter_of(struct span name)
{
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        if (strlen(parameters[i].name) == name.len &&
            memcmp(parameters[i].name, name.at, name.len) == 0)
            return &parameters[i];
    return NULL;
}

static int number(int64_t *out, const char *text, const char *name, int64_t max,
                  struct bw_error *err)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || value > max)
        return bw_error_set(err, BW_EINVAL,
                            "database URL: %s: a number from 0 to %lld is expected", name,
                            (long long)max);
    *out = value;
    return BW_OK;
}

static int boolean(bool *out, const char *text, const char *name, struct bw_error *err)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
        *out = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
        *out = false;
    else
        return bw_error_set(err, BW_EINVAL, "database URL: %s: true or false is expected",
                            name);
    return BW_OK;
}

static int check_ssl_mode(const char *text, struct bw_error *err)
{
    static const char *const modes[] = { "disable", "allow",     "prefer",
                                         "require", "verify-ca", "verify-full" };

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(text, modes[i]) == 0)
            return BW_OK;
    return bw_error_set(err, BW_EINVAL,
                        "database URL: sslmode: one of disable, allow, prefer, require, "
                        "verify-ca, verify-full is expected");
}

static void keep(char **place, char **valuep)
{
    free(*place);
    *place = *valuep;
    *valuep = NULL;
}

static int skip(struct pg_url *url, struct span name, struct bw_error *err)
{
    struct bw_buf list = BW_BUF_INIT;
    int rc = BW_OK;

    if (url->skipped != NULL)
        rc = bw_buf_addf(&list, "%s, ", url->skipped);
    if (rc == BW_OK)
        rc = bw_buf_add(&list, name.at, name.len);
    if (rc != BW_OK) {
        bw_buf_fini(&list);
        return out_of_memory(err);
    }
    free(url->skipped);
    url->skipped = bw_buf_take(&list);
    return BW_OK;
}

/* `*valuep` may be taken. */
static int apply(struct pg_url *url, struct draft *draft,
                 const struct parameter *parameter, char **valuep, struct bw_error *err)
{
    const char *value = *valuep;
    int64_t count = 0;
    int rc = BW_OK;

    switch (parameter->kind) {
    case SCHEMA:
        if (value[0] != '\0')
            keep(&url->schema, valuep);
        return BW_OK;
    case CONNECTION_LIMIT:
        rc = number(&count, value, parameter->name, CONNECTIONS_MAX, err);
        url->connections = (unsigned)count;
        return rc;
    case CONNECT_TIMEOUT:
        rc = number(&count, value, parameter->name, SECONDS_MAX, err);
        url->connect_timeout_ms = count * 1000;
        return rc;
    case PGBOUNCER: {
        bool on = false;

        rc = boolean(&on, value, parameter->name, err);
        url->unnamed = url->unnamed || on;
        return rc;
    }
    case STATEMENT_CACHE_SIZE:
        rc = number(&count, value, parameter->name, INT32_MAX, err);
        url->unnamed = url->unnamed || (rc == BW_OK && count == 0);
        return rc;
    case SSL_ACCEPT:
        keep(&draft->ssl_accept, valuep);
        return BW_OK;
    case SSL_CERT:
        keep(&draft->ssl_cert, valuep);
        return BW_OK;
    case SSL_MODE:
        rc = check_ssl_mode(value, err);
        if (rc != BW_OK)
            return rc;
        break;
    default:
        break;
    }
    rc = set_take(url, parameter->name, *valuep);
    *valuep = NULL;
    return rc == BW_OK ? BW_OK : out_of_memory(err);
}

static int parse_parameter(struct pg_url *url, struct draft *draft, struct span pair,
                           struct bw_error *err)
{
    struct span name = until(&pair, "=");
    const struct parameter *parameter = parameter_of(name);
    char *value = NULL;
    int rc;

    if (name.len == 0)
        return BW_OK;
    if (parameter == NULL || parameter->kind == SKIP)
        return skip(url, name, err);
    if (pair.len > 0)
        skip_one(&pair);
    rc = decode(&value, pair, parameter->name, err);
    if (rc == BW_OK)
        rc = apply(url, draft, parameter, &value, err);
    free(value);
    return rc;
}

/* Prisma's `sslcert` is the certificate the server is checked against, libpq's is the
 * client's own; a key or a root certificate beside it tells which is meant.
 * `sslaccept=strict` is what libpq calls verify-full. */
static int settle_ssl(struct pg_url *url, const struct draft *draft, struct bw_error *err)
{
    const char *mode = pg_url_get(url, "sslmode");
    bool of_libpq =
        pg_url_get(url, "sslkey") != NULL || pg_url_get(url, "sslrootcert") != NULL;
    int rc = BW_OK;

    if (draft->ssl_cert != NULL)
        rc = pg_url_set(url, of_libpq ? "sslcert" : "sslrootcert", draft->ssl_cert);
    if (rc == BW_OK && draft->ssl_accept != NULL &&
        strcmp(draft->ssl_accept, "strict") == 0 && mode != NULL &&
        strcmp(mode, "require") == 0)
        rc = pg_url_set(url, "sslmode", "verify-full");
    if (rc != BW_OK)
        return out_of_memory(err);
    mode = pg_url_get(url, "sslmode");
    url->verify_system_ca = mode != NULL && strncmp(mode, "verify-", 7) == 0 &&
                            pg_url_get(url, "sslrootcert") == NULL;
    return BW_OK;
}

static int parse_parameters(struct pg_url *url, struct span rest, struct bw_error *err)
{
    struct draft draft = { 0 };
    int rc = BW_OK;

    while (rc == BW_OK && rest.len > 0) {
        struct span pair = until(&rest, "&");

        rc = parse_parameter(url, &draft, pair, err);
        if (rest.len > 0)
            skip_one(&rest);
    }
    if (rc == BW_OK)
        rc = settle_ssl(url, &draft, err);
    free(draft.ssl_accept);
    free(draft.ssl_cert);
    return rc;
}

/* --- user, password, hosts */

static int parse_user(struct pg_url *url, struct span rest, struct bw_error *err)
{
    struct span user = until(&rest, ":");
    int rc = BW_OK;

    if (user.len > 0)
        rc = set_decoded(url, "user", user, err);
    if (rc == BW_OK && rest.len > 1) {
        skip_one(&rest);
        rc = set_decoded(url, "password", rest, err);
    }
    return rc;
}

static bool port_is_good(struct span port)
{
    long value = 0;

    if (port.len == 0 || port.len > 5)
        return false;
    for (size_t i = 0; i < port.len; i++) {
        if (!isdigit((unsigned char)port.at[i]))
            return false;
        value = value * 10 + (port.at[i] - '0');
    }
    return value > 0 && value <= 65535;
}

static int parse_host(struct bw_buf *hosts, struct bw_buf *ports, struct span rest,
                      struct bw_error *err)
{
    struct span name;
    char *host = NULL;
    int rc;

    if (rest.len > 0 && rest.at[0] == '[') {
        skip_one(&rest);
        name = until(&rest, "]");
        if (rest.len == 0)
            return bw_error_set(err, BW_EINVAL, "database URL: host: \"]\" is missing");
        skip_one(&rest);
    } else {
        name = until(&rest, ":");
    }
    if (rest.len > 0 && (rest.at[0] != ':' || rest.len == 1))
        return bw_error_set(err, BW_EINVAL, "database URL: port: a number is expected");
    if (rest.len > 0) {
        skip_one(&rest);
        if (!port_is_good(rest))
            return bw_error_set(
                err, BW_EINVAL,
                "database URL: port: a number from 1 to 65535 is expected");
    } else {
        rest = (struct span){ "5432", 4 };
    }
    rc = decode(&host, name, "host", err);
    if (rc != BW_OK)
        return rc;
    if (bw_buf_add_str(hosts, host) != BW_OK ||
        bw_buf_add(ports, rest.at, rest.len) != BW_OK)
        rc = out_of_memory(err);
    free(host);
    return rc;
}

static int parse_hosts(struct pg_url *url, struct span rest, struct bw_error *err)
{
    struct bw_buf hosts = BW_BUF_INIT;
    struct bw_buf ports = BW_BUF_INIT;
    int rc = BW_OK;

    while (rc == BW_OK) {
        struct span host = until(&rest, ",");

        rc = parse_host(&hosts, &ports, host, err);
        if (rest.len == 0)
            break;
        skip_one(&rest);
        if (rc == BW_OK && (bw_buf_add_char(&hosts, ',') != BW_OK ||
                            bw_buf_add_char(&ports, ',') != BW_OK))
            rc = out_of_memory(err);
    }
    if (rc == BW_OK && hosts.len > 0 &&
        (pg_url_set(url, "host", bw_buf_text(&hosts)) != BW_OK ||
         pg_url_set(url, "port", bw_buf_text(&ports)) != BW_OK))
        rc = out_of_memory(err);
    bw_buf_fini(&hosts);
    bw_buf_fini(&ports);
    return rc;
}

/* The last '@' ends the user's part: an unencoded one in a password is a common slip. */
static int parse_authority(struct pg_url *url, struct span rest, struct bw_error *err)
{
    size_t at = rest.len;
    int rc = BW_OK;

    while (at > 0 && rest.at[at - 1] != '@')
        at--;
    if (at > 0)
        rc = parse_user(url, (struct span){ rest.at, at - 1 }, err);
    if (rc != BW_OK)
        return rc;
    return parse_hosts(url, (struct span){ rest.at + at, rest.len - at }, err);
}

static int parse(struct pg_url *url, struct span rest, struct bw_error *err)
{
    struct span authority = until(&rest, "/?#");
    int rc = parse_authority(url, authority, err);

    if (rc == BW_OK && rest.len > 0 && rest.at[0] == '/') {
        struct span name;

        skip_one(&rest);
        name = until(&rest, "?#");
        if (name.len > 0)
            rc = set_decoded(url, "dbname", name, err);
    }
    if (rc == BW_OK && rest.len > 0 && rest.at[0] == '?') {
        skip_one(&rest);
        rc = parse_parameters(url, until(&rest, "#"), err);
    }
    return rc;
}

int pg_url_parse(struct pg_url *url, const char *text, struct bw_error *err)
{
    static const char *const schemes[] = { "postgresql://", "postgres://" };
    int rc = BW_OK;

    memset(url, 0, sizeof *url);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i]);

        if (strncmp(text, schemes[i], len) != 0)
            continue;
        rc = parse(url, (struct span){ text + len, strlen(text + len) }, err);
        if (rc != BW_OK)
            pg_url_fini(url);
        return rc;
    }
    return bw_error_set(err, BW_EINVAL,
                        "database URL: scheme: postgresql:// or postgres:// is expected");
}

void pg_url_fini(struct pg_url *url)
{
    for (size_t i = 0; i < url->count; i++)
        free(url->values[i]);
    free(url->schema);
    free(url->skipped);
    memset(url, 0, sizeof *url);
}
