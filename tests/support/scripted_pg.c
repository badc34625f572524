#include "support/scripted_pg.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>
#include <bulwark/thread.h>

#define PATIENCE_MS 60000
#define MESSAGE_MAX 100000

/* ENDED: hung up after the last step; BROKEN: amid the script. */
enum place { PLAYING, HOLDING, PLAYED, ENDED, BROKEN };

struct connection {
    struct scripted_pg *server;
    unsigned index;
    int fd;
    pthread_t thread;
    int64_t accepted_ns;
    enum place place; /* with `released` and `heard` guarded by the server's mutex */
    bool released;
    struct bw_buf heard;
};

struct scripted_pg {
    int fd;
    char url[96];
    const char *const *const *scripts;
    pthread_t thread;
    bool started;

    struct bw_mutex mtx; /* guards what follows, and parts of the connections */
    struct bw_cond changed;
    bool stopping;
    struct connection connections[SCRIPTED_PG_CONNECTIONS_MAX];
    unsigned count;
};

_Noreturn static void give_up(const char *what, unsigned index, const char *detail)
{
    (void)fprintf(stderr, "scripted PostgreSQL: connection %u: %s: %s\n", index, what,
                  detail);
    abort();
}

static void must(bool good, const char *what)
{
    if (!good)
        give_up("cannot", 0, what);
}

/* --- the bytes of messages */

static void put_int(struct bw_buf *out, uint32_t value, unsigned bytes)
{
    while (bytes-- > 0) {
        char byte = (char)(value >> (bytes * 8));

        must(bw_buf_add(out, &byte, 1) == BW_OK, "memory");
    }
}

/* With the NUL that ends it. */
static void put_text(struct bw_buf *out, const char *text)
{
    must(bw_buf_add(out, text, strlen(text) + 1) == BW_OK, "memory");
}

static void put_message(struct bw_buf *out, char type, const struct bw_buf *body)
{
    put_int(out, (unsigned char)type, 1);
    put_int(out, (uint32_t)body->len + 4, 4);
    if (body->len > 0)
        must(bw_buf_add(out, body->data, body->len) == BW_OK, "memory");
}

static void put_row(struct bw_buf *body, const char *text)
{
    size_t letters = text[0] == '*' ? strtoul(text + 1, NULL, 10) : 0;

    put_int(body, 1, 2);
    put_int(body, (uint32_t)(letters > 0 ? letters : strlen(text)), 4);
    for (size_t i = 0; i < letters; i++)
        put_int(body, 'x', 1);
    if (letters == 0)
        must(bw_buf_add(body, text, strlen(text)) == BW_OK, "memory");
}

static void put_column(struct bw_buf *body)
{
    put_int(body, 1, 2);
    put_text(body, "c");
    put_int(body, 0, 4);
    put_int(body, 0, 2);
    put_int(body, 25, 4); /* text */
    put_int(body, 0xffff, 2);
    put_int(body, 0xffffffff, 4);
    put_int(body, 0, 2);
}

static void put_error(struct bw_buf *body, const char *severity, const char *sqlstate)
{
    const char *const fields[] = { "S", severity, "V", severity,
                                   "C", sqlstate, "M", "as scripted" };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i += 2) {
        put_int(body, (unsigned char)fields[i][0], 1);
        put_text(body, fields[i + 1]);
    }
    put_int(body, 0, 1);
}

static void put_parameter(struct bw_buf *body, char *text)
{
    char *equals = strchr(text, '=');

    must(equals != NULL, "read S:name=value");
    *equals = '\0';
    put_text(body, text);
    put_text(body, equals + 1);
}

/* One message as the script writes it, blanks already put in. */
static void put_word(struct bw_buf *out, unsigned index, char *word)
{
    char *detail = word[0] != '\0' && word[1] == ':' ? word + 2 : word + 1;
    struct bw_buf body = { 0 };
    char type = word[0];

    if (type == '!') {
        must(bw_buf_add(out, word + 1, strlen(word + 1)) == BW_OK, "memory");
        return;
    }
    if (type == 'T')
        put_column(&body);
    else if (type == 'D')
        put_row(&body, detail);
    else if (type == 'C')
        put_text(&body, detail);
    else if (type == 'E' || type == 'F')
        put_error(&body, type == 'E' ? "ERROR" : "FATAL", detail);
    else if (type == 'N')
        put_error(&body, "NOTICE", "00000");
    else if (type == 'Z')
        put_int(&body, 'I', 1);
    else if (type == 'R')
        put_int(&body, (uint32_t)strtoul(detail, NULL, 10), 4);
    else if (type == 'S')
        put_parameter(&body, detail);
    else if (type == 'K')
        put_int(&body, 1000 + index, 4);
    else if (strchr("12n", type) == NULL)
        give_up("no such message", index, word);
    if (type == 'K')
        put_int(&body, 7, 4); /* the secret */
    put_message(out, type == 'F' ? 'E' : type, &body);
    bw_buf_fini(&body);
}

/* --- the connection */

static void set_place(struct connection *at, enum place place)
{
    bw_mutex_lock(&at->server->mtx);
    at->place = place;
    bw_cond_broadcast(&at->server->changed);
    bw_mutex_unlock(&at->server->mtx);
}

/* False: the client has hung up. */
static bool read_all(struct connection *at, char *into, size_t size)
{
    while (size > 0) {
        ssize_t got = recv(at->fd, into, size, 0);

        if (got <= 0)
            return false;
        into += got;
        size -= (size_t)got;
    }
    return true;
}

static void remember(struct connection *at, const char *body, size_t size)
{
    bw_mutex_lock(&at->server->mtx);
    must(bw_buf_add(&at->heard, body, size) == BW_OK, "memory");
    bw_mutex_unlock(&at->server->mtx);
}

/* A message's length and body; the type is read by now, if it has one. */
static bool read_body(struct connection *at)
{
    unsigned char head[4];
    uint32_t size;
    char *body;
    bool whole;

    if (!read_all(at, (char *)head, sizeof head))
        return false;
    size = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 |
           head[3];
    if (size < 4 || size > MESSAGE_MAX)
        give_up("a message of no sane length", at->index, "");
    body = malloc(size);
    must(body != NULL, "memory");
    whole = read_all(at, body, size - 4);
    if (whole)
        remember(at, body, size - 4);
    free(body);
    return whole;
}

static bool expect(struct connection *at, const char *types)
{
    for (const char *want = types; *want != '\0'; want++) {
        char got[2] = "";

        if (!read_all(at, got, 1) || (got[0] == 'X' && *want != 'X'))
            return false;
        if (got[0] != *want) {
            char detail[160];

            (void)snprintf(detail, sizeof detail, "%s for %s in \"<%s\"", got, want,
                           types); /* cut */
            give_up("unexpected message", at->index, detail);
        }
        if (!read_body(at))
            return false;
    }
    return true;
}

static bool say(struct connection *at, const char *words, size_t limit)
{
    struct bw_buf out = { 0 };
    char *copy = strdup(words);
    char *rest = NULL;
    size_t done = 0;

    must(copy != NULL, "memory");
    for (char *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        for (char *under = word; word[0] != 'S' && *under != '\0'; under++)
            if (*under == '_')
                *under = ' ';
        put_word(&out, at->index, word);
    }
    if (limit > out.len)
        limit = out.len;
    while (done < limit) {
        ssize_t sent = send(at->fd, out.data + done, limit - done, MSG_NOSIGNAL);

        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    bw_buf_fini(&out);
    free(copy);
    return done == limit;
}

static bool hold(struct connection *at)
{
    bool stopping;

    set_place(at, HOLDING);
    bw_mutex_lock(&at->server->mtx);
    while (!at->released && !at->server->stopping)
        bw_cond_wait(&at->server->changed, &at->server->mtx);
    at->released = false;
    at->place = PLAYING;
    stopping = at->server->stopping;
    bw_mutex_unlock(&at->server->mtx);
    return !stopping;
}

/* What was sent is with the client's machine, read or not. */
static void hang_up(struct connection *at, bool reset)
{
    struct linger linger = { .l_onoff = 1 };
    int left = 1;

    while (ioctl(at->fd, SIOCOUTQNSD, &left) == 0 && left > 0)
        (void)usleep(200); /* there is nothing to wait on for this */
    if (reset)
        must(setsockopt(at->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0,
             "set SO_LINGER");
    bw_mutex_lock(&at->server->mtx);
    (void)close(at->fd); /* the client sees what comes of it */
    at->fd = -1;
    bw_mutex_unlock(&at->server->mtx);
}

/* False: the client has hung up, or the server ends. */
static bool play(struct connection *at, const char *step)
{
    if (strcmp(step, "login") == 0)
        return read_body(at) && say(at,
                                    "R:0 S:server_version=15.0 S:client_encoding=UTF8 "
                                    "S:standard_conforming_strings=on K Z",
                                    SIZE_MAX);
    if (strcmp(step, "startup") == 0)
        return read_body(at);
    if (strcmp(step, "settings") == 0)
        return expect(at, "PBDES") && say(at, "1 2 T D:UTC C:SELECT_1 Z", SIZE_MAX);
    if (strcmp(step, "hold") == 0)
        return hold(at);
    if (step[0] == '<')
        return expect(at, step + 1);
    if (step[0] == '>')
        return say(at, step + 1, SIZE_MAX);
    if (strncmp(step, "cut ", 4) == 0 && strchr(step, '>') != NULL)
        return say(at, strchr(step, '>') + 1, strtoul(step + 4, NULL, 10));
    if (strcmp(step, "close") != 0 && strcmp(step, "reset") != 0)
        give_up("no such step", at->index, step);
    hang_up(at, step[0] == 'r');
    return true;
}

static void *connection_main(void *arg)
{
    struct connection *at = arg;
    const char *const *const *scripts = at->server->scripts;
    char dropped[4096];

    for (unsigned i = 0; i < at->index && scripts[1] != NULL; i++)
        scripts++;
    for (const char *const *step = *scripts; *step != NULL; step++) {
        if (!play(at, *step)) {
            set_place(at, BROKEN);
            return NULL;
        }
    }
    set_place(at, PLAYED);
    while (at->fd >= 0 && recv(at->fd, dropped, sizeof dropped, 0) > 0)
        continue;
    set_place(at, ENDED);
    return NULL;
}

/* --- the server */

static void let_in(struct scripted_pg *server, int fd)
{
    struct connection *at = &server->connections[server->count];
    int on = 1;

    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
         "set TCP_NODELAY");
    if (server->count == SCRIPTED_PG_CONNECTIONS_MAX)
        give_up("too many connections", server->count, "");
    *at = (struct connection){ .server = server,
                               .index = server->count,
                               .fd = fd,
                               .accepted_ns = bw_mono_now(NULL).ns };
    bw_thread_check(pthread_create(&at->thread, NULL, connection_main, at),
                    "pthread_create");
    server->count++;
    bw_cond_broadcast(&server->changed);
}

static void *server_main(void *arg)
{
    struct scripted_pg *server = arg;

    for (;;) {
        int fd = accept(server->fd, NULL, NULL);

        if (fd < 0)
            return NULL; /* the end */
        bw_mutex_lock(&server->mtx);
        let_in(server, fd);
        bw_mutex_unlock(&server->mtx);
    }
}

struct scripted_pg *scripted_pg_create(void)
{
    struct scripted_pg *server = calloc(1, sizeof *server);
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof address;

    must(server != NULL, "memory");
    bw_mutex_init(&server->mtx);
    bw_cond_init(&server->changed);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->fd >= 0, "make a socket");
    must(bind(server->fd, (struct sockaddr *)&address, size) == 0, "bind");
    must(getsockname(server->fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    (void)snprintf(server->url, sizeof server->url,
                   "postgresql://u:secret@127.0.0.1:%u/d?sslmode=disable&"
                   "gssencmode=disable",
                   ntohs(address.sin_port)); /* fits */
    return server;
}

void scripted_pg_listen(struct scripted_pg *server, const char *const *const *scripts)
{
    server->scripts = scripts;
    must(listen(server->fd, 64) == 0, "listen");
    bw_thread_check(pthread_create(&server->thread, NULL, server_main, server),
                    "pthread_create");
    server->started = true;
}

void scripted_pg_destroy(struct scripted_pg **serverp)
{
    struct scripted_pg *server = *serverp;

    if (server == NULL)
        return;
    *serverp = NULL;
    if (server->started) {
        (void)shutdown(server->fd, SHUT_RDWR); /* wakes accept() */
        bw_thread_check(pthread_join(server->thread, NULL), "pthread_join");
    }
    bw_mutex_lock(&server->mtx);
    server->stopping = true;
    bw_cond_broadcast(&server->changed);
    for (unsigned i = 0; i < server->count; i++)
        if (server->connections[i].fd >= 0)
            (void)shutdown(server->connections[i].fd, SHUT_RDWR); /* wakes recv() */
    bw_mutex_unlock(&server->mtx);
    for (unsigned i = 0; i < server->count; i++) {
        struct connection *at = &server->connections[i];

        bw_thread_check(pthread_join(at->thread, NULL), "pthread_join");
        bw_buf_fini(&at->heard);
        if (at->fd >= 0)
            (void)close(at->fd);
    }
    (void)close(server->fd);
    bw_cond_fini(&server->changed);
    bw_mutex_fini(&server->mtx);
    free(server);
}

const char *scripted_pg_url(const struct scripted_pg *server)
{
    return server->url;
}

/* --- waiting and asking */

/* Locked. */
static void await_place(struct scripted_pg *server, unsigned index, enum place first,
                        enum place last)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);
    const struct connection *at = &server->connections[index];

    while (index >= server->count || at->place < first || at->released) {
        if (!bw_cond_wait_until(&server->changed, &server->mtx, deadline))
            give_up("awaited for too long", index,
                    index >= server->count ? "never opened" : "never there");
    }
    if (at->place > last)
        give_up("the client hung up", index, "amid its script");
}

void scripted_pg_await(struct scripted_pg *server, unsigned index)
{
    bw_mutex_lock(&server->mtx);
    await_place(server, index, HOLDING, ENDED);
    bw_mutex_unlock(&server->mtx);
}

void scripted_pg_release(struct scripted_pg *server, unsigned index)
{
    bw_mutex_lock(&server->mtx);
    await_place(server, index, HOLDING, HOLDING);
    server->connections[index].released = true;
    bw_cond_broadcast(&server->changed);
    bw_mutex_unlock(&server->mtx);
}

void scripted_pg_await_end(struct scripted_pg *server, unsigned index)
{
    bw_mutex_lock(&server->mtx);
    await_place(server, index, ENDED, ENDED);
    bw_mutex_unlock(&server->mtx);
}

unsigned scripted_pg_connections(struct scripted_pg *server)
{
    unsigned count;

    bw_mutex_lock(&server->mtx);
    count = server->count;
    bw_mutex_unlock(&server->mtx);
    return count;
}

int64_t scripted_pg_accepted_ns(struct scripted_pg *server, unsigned index)
{
    int64_t ns;

    bw_mutex_lock(&server->mtx);
    await_place(server, index, PLAYING, BROKEN);
    ns = server->connections[index].accepted_ns;
    bw_mutex_unlock(&server->mtx);
    return ns;
}

bool scripted_pg_heard(struct scripted_pg *server, unsigned index, const char *text)
{
    const struct connection *at = &server->connections[index];
    bool heard;

    bw_mutex_lock(&server->mtx);
    await_place(server, index, HOLDING, ENDED);
    heard = at->heard.len > 0 &&
            memmem(at->heard.data, at->heard.len, text, strlen(text)) != NULL;
    bw_mutex_unlock(&server->mtx);
    return heard;
}
