#include "pg/sqlstate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct rule {
    const char *
        prefix; /* a class (two characters) or a whole code; the first that fits counts */
    enum pg_error_kind kind;
} rules[] = {
    { "57014", PG_ERROR_CANCELLED }, { "26000", PG_ERROR_UNPREPARED },
    { "0A000", PG_ERROR_STALE },     /* cached plan must not change result type */
    { "25006", PG_ERROR_STALE },     /* read-only: the primary has moved */
    { "40001", PG_ERROR_TRANSIENT }, /* serialization failure */
    { "40P01", PG_ERROR_TRANSIENT }, /* deadlock */
    { "40003", PG_ERROR_TRANSIENT }, /* statement completion unknown */
    { "55P03", PG_ERROR_TRANSIENT }, /* lock not available */
    { "08", PG_ERROR_TRANSIENT },    /* connection exceptions */
    { "53", PG_ERROR_TRANSIENT },    /* out of memory, disk or connections */
    { "57P", PG_ERROR_TRANSIENT },   /* shutdown, crash, starting up */
    { "58", PG_ERROR_TRANSIENT },    /* input or output of the server */
};

enum pg_error_kind pg_error_kind(const char *sqlstate)
{
    if (sqlstate == NULL || sqlstate[0] == '\0')
        return PG_ERROR_TRANSIENT;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return rules[i].kind;
    return PG_ERROR_PERMANENT;
}

static void put(char *out, size_t size, size_t *len, const char *text, size_t count)
{
    for (size_t i = 0; i < count && *len + 1 < size; i++)
        out[(*len)++] = text[i];
}

void pg_error_text(char *out, size_t size, const char *statement, const char *sqlstate,
                   const char *message)
{
    static const char ellipsis[] = "\"…\"";
    bool quotes_data = sqlstate != NULL && strncmp(sqlstate, "22", 2) == 0;
    size_t len = 0;

    if (statement != NULL) {
        put(out, size, &len, statement, strlen(statement));
        put(out, size, &len, ": ", 2);
    }
    for (const char *at = message; *at != '\0'; at++) {
        const char *end = quotes_data && *at == '"' ? strrchr(at + 1, '"') : NULL;

        if (end != NULL) {
            put(out, size, &len, ellipsis, sizeof ellipsis - 1);
            at = end;
        } else if (*at == '\n') {
            put(out, size, &len, at[1] != '\0' ? " " : "", at[1] != '\0' ? 1 : 0);
        } else {
            put(out, size, &len, at, 1);
        }
    }
    out[len] = '\0';
}
