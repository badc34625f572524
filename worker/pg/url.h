/* The database URL as Prisma and libpq take it, turned into libpq's keywords and the
 * pool's own settings. Pure: no connection, no file is touched. The struct is storage of
 * its owner.
 *
 *   postgresql://user:password@host:port,host2:port2/database?parameter=value&…
 *
 * libpq's parameters are passed on. Of Prisma's own, `schema`, `connection_limit`,
 * `connect_timeout`, `pgbouncer`, `statement_cache_size=0` (as pgbouncer), `sslaccept`
 * and `sslcert` are understood; `pool_timeout`, `socket_timeout` and what nobody knows
 * are skipped. */
#ifndef WORKER_PG_URL_H
#define WORKER_PG_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>

#define PG_URL_MAX 40

struct pg_url {
    const char *keys[PG_URL_MAX + 1]; /* libpq's keywords, static; ended by NULL */
    char *values[PG_URL_MAX + 1];     /* owned; ended by NULL, as libpq wants it */
    size_t count;
    char *schema;         /* or NULL */
    char *skipped;        /* names of the parameters skipped, comma separated, or NULL */
    unsigned connections; /* connection_limit; 0: not given */
    int64_t connect_timeout_ms; /* 0: not given */
    bool unnamed;               /* no named prepared statements: a pooler is in between */
    bool verify_system_ca;      /* verify the server, and no root certificate is named */
};

/* BW_EINVAL names the part, and the byte where that helps, never the password; BW_ENOMEM.
 * On failure nothing is owned. */
BW_MUSTCHECK int pg_url_parse(struct pg_url *url, const char *text, struct bw_error *err);
/* Sets a keyword (static text), replacing what is there. */
BW_MUSTCHECK int pg_url_set(struct pg_url *url, const char *key, const char *value);
/* Borrowed, NULL when not set. */
const char *pg_url_get(const struct pg_url *url, const char *key);
/* Harmless on a zeroed or finished struct. */
void pg_url_fini(struct pg_url *url);

#endif
