/* A PostgreSQL server that plays a part: a loopback socket that speaks the wire protocol
 * (version 3, no TLS) from a list, one thread a connection. Nothing is stored and no SQL
 * is understood; the list says what must come and what is answered.
 *
 * A script is an array of steps, ended by NULL; each connection plays one, in the order
 * in which they come in, and all beyond the last script play the last.
 *
 *   "login"      the start-up message; then: authenticated, parameters, process number
 *                (1000 + the connection's index), ready
 *   "startup"    the start-up message alone
 *   "settings"   one statement as "<PBDES", answered by one row
 *   "<PSBDES"    exactly these messages of the client, by their type (P Parse, B Bind, D
 *                Describe, E Execute, S Sync, p password, X Terminate)
 *   ">1 Z"       sends these messages, each written as below, in one piece
 *   "cut 7 >…"   the same, but only the first 7 bytes
 *   "hold"       waits for scripted_pg_release()
 *   "close"      closes the connection once the client's machine has all that was sent
 *   "reset"      the same by RST, so that the client reads an error and not the end
 *
 * Messages, separated by blanks; an underscore stands for a blank inside of one:
 *
 *   1 ParseComplete   2 BindComplete   n NoData   T RowDescription of one text column
 *   D:text DataRow; "D:*40000" has 40000 letters        C:INSERT_0_1 CommandComplete
 *   E:23505 ErrorResponse, severity ERROR    F:57P01 the same, FATAL    N notice
 *   Z ReadyForQuery   R:3 Authentication, of this kind   K BackendKeyData
 *   S:name=value ParameterStatus             !text these bytes, raw
 *
 * "close" is a reset where something of the client's is unread. After its last step a
 * connection drops what it hears until the client hangs up. A message that is not the one
 * expected, or a wait of a minute, prints why and aborts. A client that hangs up amid a
 * script ends it; whoever awaits that connection then aborts.
 *
 * Functions belong to the test's thread, save scripted_pg_await() and
 * scripted_pg_release(), which any thread may call. */
#ifndef TESTS_SUPPORT_SCRIPTED_PG_H
#define TESTS_SUPPORT_SCRIPTED_PG_H

#include <stdbool.h>
#include <stdint.h>

#define SCRIPTED_PG_CONNECTIONS_MAX 64

struct scripted_pg;

/* New. It has a port but refuses connections. */
struct scripted_pg *scripted_pg_create(void);
/* Lets connections in. `scripts` is ended by NULL, has one at least and is borrowed. */
void scripted_pg_listen(struct scripted_pg *server, const char *const *const *scripts);
/* Hangs up whatever is still open. */
void scripted_pg_destroy(struct scripted_pg **serverp);

/* Borrowed: postgresql://…, without parameters but sslmode and gssencmode, so that more
 * can be put behind it with "&". */
const char *scripted_pg_url(const struct scripted_pg *server);

/* Returns once the connection `index` is at a "hold" or has played its last step. */
void scripted_pg_await(struct scripted_pg *server, unsigned index);
/* Lets a connection that is at a "hold" go on; awaits that first. */
void scripted_pg_release(struct scripted_pg *server, unsigned index);
/* Returns once the client has hung up after the last step, or the script has. */
void scripted_pg_await_end(struct scripted_pg *server, unsigned index);

/* How many were let in so far. */
unsigned scripted_pg_connections(struct scripted_pg *server);
/* When it was let in, on the monotonic clock. */
int64_t scripted_pg_accepted_ns(struct scripted_pg *server, unsigned index);
/* True when one of the messages heard contains the text. Awaits the connection first. */
bool scripted_pg_heard(struct scripted_pg *server, unsigned index, const char *text);

#endif
