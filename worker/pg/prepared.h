/* The set of statements one connection has prepared. Statements are constants: their
 * address is what identifies them. A zeroed struct is an empty set. */
#ifndef WORKER_PG_PREPARED_H
#define WORKER_PG_PREPARED_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/api.h>

struct pg_statement;

struct pg_prepared {
    const struct pg_statement **slots; /* open addressing; NULL is free */
    size_t cap;                        /* a power of two, or 0 */
    size_t count;
};

bool pg_prepared_has(const struct pg_prepared *set, const struct pg_statement *statement);
/* BW_OK or BW_ENOMEM. Adding what is there is harmless, as is removing what is not. */
BW_MUSTCHECK int pg_prepared_add(struct pg_prepared *set,
                                 const struct pg_statement *statement);
void pg_prepared_remove(struct pg_prepared *set, const struct pg_statement *statement);
void pg_prepared_fini(struct pg_prepared *set);

#endif
