/* A real PostgreSQL for a test: initdb into a temporary folder, a free loopback port, no
 * fsync: what was committed outlives a crash of the server, not one of the machine. As
 * root it runs as the user postgres, because PostgreSQL refuses root.
 *
 * Owned by the test's main thread: the server ends with the thread that started it. What
 * a failed test leaves running is ended at exit. Functions that cannot do their work
 * print why and abort. */
#ifndef TESTS_SUPPORT_PG_SERVER_H
#define TESTS_SUPPORT_PG_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#define PG_SERVER_PASSWORD "not-a-secret" /* of the user bulwark */

struct pg_server {
    struct pg_server *next; /* all that live, for the end of the program */
    char dir[128];
    char bin[128];
    char url[128]; /* postgresql://bulwark:PASSWORD@127.0.0.1:PORT/postgres */
    pid_t pid;     /* 0: halted */
    uint16_t port;
};

/* Returns once it takes connections. `sql_file` is loaded then; NULL: none. */
void pg_server_start(struct pg_server *server, const char *sql_file);
/* Ends it and removes its folder. Harmless on a zeroed or stopped struct. */
void pg_server_stop(struct pg_server *server);

/* Ends it as a crash would; data and port are kept for pg_server_launch(). */
void pg_server_halt(struct pg_server *server);
/* Starts a halted one again; returns at once, before it takes connections. */
void pg_server_launch(struct pg_server *server);
void pg_server_wait(struct pg_server *server);
/* halt, launch, wait */
void pg_server_restart(struct pg_server *server);
/* SIGSTOP and SIGCONT to all of its processes: the peer that neither answers nor hangs
 * up. */
void pg_server_pause(struct pg_server *server);
void pg_server_cont(struct pg_server *server);

/* Runs statements on a connection of its own. New: the first column of the last result's
 * rows, joined by newlines; "" when there is none. The caller frees it. */
char *pg_server_text(const struct pg_server *server, const char *sql);
int64_t pg_server_integer(const struct pg_server *server, const char *sql);

#endif
