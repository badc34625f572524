/* What an SQLSTATE means for a batch. Pure; any thread. */
#ifndef WORKER_PG_SQLSTATE_H
#define WORKER_PG_SQLSTATE_H

#include <stddef.h>

enum pg_error_kind {
    PG_ERROR_PERMANENT,  /* the batch is wrong as it stands */
    PG_ERROR_TRANSIENT,  /* the same batch may succeed later */
    PG_ERROR_CANCELLED,  /* 57014: by a cancel request or a statement timeout */
    PG_ERROR_UNPREPARED, /* 26000: the server does not know the prepared statement */
    PG_ERROR_STALE, /* the connection is no good for this any more, another one is: a plan
                       that does not fit a changed table, a server that has become
                       read-only */
};

/* `sqlstate` NULL or empty: the client library's own error, that is a lost connection. */
enum pg_error_kind pg_error_kind(const char *sqlstate);

/* Copies a server's message into `out`, on one line; values of parameters, which data
 * exceptions (class 22) quote, are left out. */
void pg_error_text(char *out, size_t size, const char *statement, const char *sqlstate,
                   const char *message);

#endif
