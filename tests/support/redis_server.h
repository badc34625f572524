/* A real redis-server for a test: a free loopback port, its own temporary folder,
 * append-only file. The environment's REDIS_SERVER names another program to run.
 *
 * Owned by the test's main thread: the server dies with the thread that started it. What
 * a failed test leaves running is ended at exit. Functions that cannot do their work
 * print why and abort: a test without its server has nothing to say. */
#ifndef TESTS_SUPPORT_REDIS_SERVER_H
#define TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#define REDIS_SERVER_ARGS_MAX 32

struct redis_process;

struct redis_server {
    struct redis_process *process; /* what has to be ended at exit */
    char dir[128];
    char url[64]; /* redis://127.0.0.1:PORT */
    char *args[REDIS_SERVER_ARGS_MAX + 1];
    uint16_t port;
    char *password; /* for the query functions; NULL: none */
};

/* `extra` are further arguments of redis-server, ended by NULL; NULL: none. Returns once
 * the server answers. "%DIR%" at the start of an argument becomes the server's folder. */
void redis_server_start(struct redis_server *server, const char *const *extra);
/* Ends it and removes its folder. Harmless on a zeroed or stopped struct. */
void redis_server_stop(struct redis_server *server);

/* SIGKILL; data, port and settings are kept for redis_server_restart(). */
void redis_server_halt(struct redis_server *server);
/* Back on the same port with the same data; halts it first where it still runs. */
void redis_server_restart(struct redis_server *server);
/* SIGSTOP and SIGCONT: the peer that neither answers nor hangs up. */
void redis_server_pause(struct redis_server *server);
void redis_server_cont(struct redis_server *server);

/* One command on a connection of its own, formatted as hiredis does (%s, %b, %lld …).
 * New: the caller frees the text; NULL for nil; an error reply is its text. Array
 * elements are joined by newlines. */
char *redis_server_text(const struct redis_server *server, const char *format, ...);
/* The same for an integer reply; aborts on any other. */
int64_t redis_server_integer(const struct redis_server *server, const char *format, ...);

/* A loopback TCP port that is free, and that no other test takes as long as this program
 * lives. */
uint16_t free_port(void);

#endif
