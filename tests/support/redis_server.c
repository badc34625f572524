#include "support/redis_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#define START_DEADLINE_MS 15000
#define PORT_TRIES        5
/* Below those that the kernel gives to whoever connects. */
#define FIRST_PORT 10000
#define PORTS      20000

/* On the heap, because a failed test leaves by longjmp and its struct redis_server is
 * gone. */
struct redis_process {
    struct redis_process *next;
    pid_t pid; /* 0: halted */
    pid_t cleaner;
    int cleaner_pipe;
    char dir[128];
};

static struct redis_process *living;

static void die(const char *what)
{
    (void)fprintf(stderr, "redis_server: %s (errno: %s)\n", what, strerror(errno));
    abort();
}

static int64_t now_ms(void)
{
    struct timespec at;

    if (clock_gettime(CLOCK_MONOTONIC, &at) != 0)
        die("clock_gettime failed");
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void nap(void)
{
    struct timespec pause = { .tv_nsec = 5000000 };

    (void)nanosleep(&pause, NULL); /* an interrupted nap is a shorter nap */
}

/* -1: it is another's. */
static int bind_to(uint32_t address, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(address);
    if (fd < 0)
        die("no socket");
    if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    (void)close(fd); /* nothing was written to it */
    return -1;
}

/* Holds a place of another loopback address for as long as this program lives, so that no
 * other test, in whatever language (peer/server.mjs), takes the port while its server is
 * still to start, or is away. -1: another has it. */
static int reserve(uint16_t port)
{
    return bind_to(0x7f004d4d /* 127.0.77.77 */, (uint16_t)(port + 30000));
}

static bool is_free(uint16_t port)
{
    int fd = bind_to(INADDR_LOOPBACK, port);

    if (fd >= 0)
        (void)close(fd); /* nothing was written to it */
    return fd >= 0;
}

uint16_t free_port(void)
{
    for (int tries = 0; tries < 1000; tries++) {
        uint16_t chance, port;
        int fd;

        if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
            die("no random number");
        port = (uint16_t)(FIRST_PORT + chance % PORTS);
        fd = reserve(port);
        if (fd >= 0 && is_free(port))
            return port; /* the reservation is kept */
        if (fd >= 0)
            (void)close(fd); /* nothing was written to it */
    }
    die("no free port");
    return 0;
}

/* --- the process */

static void run_child(const struct redis_server *server, const char *port)
{
    const char *fixed[] = { "redis-server", "--port",      port,
                            "--bind",       "127.0.0.1",   "--dir",
                            server->dir,    "--save",      "",
                            "--appendonly", "yes",         "--appendfsync",
                            "no",           "--daemonize", "no" };
    const size_t fixed_count = sizeof fixed / sizeof fixed[0];
    char *argv[REDIS_SERVER_ARGS_MAX + 20];
    size_t count = fixed_count;
    const char *other = getenv("REDIS_SERVER");
    int log = open("redis.log", O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (other != NULL)
        fixed[0] = other;
    memcpy(argv, fixed, sizeof fixed);
    for (size_t i = 0; server->args[i] != NULL; i++)
        argv[count++] = server->args[i];
    argv[count] = NULL;
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    execvp(argv[0], argv);
    _exit(127);
}

static void launch(struct redis_server *server)
{
    pid_t parent = getpid();
    char port[8];

    (void)snprintf(port, sizeof port, "%u", (unsigned)server->port);
    server->process->pid = fork();
    if (server->process->pid < 0)
        die("fork failed");
    if (server->process->pid > 0)
        return;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        chdir(server->dir) != 0)
        _exit(126);
    run_child(server, port);
}

static bool answers(const struct redis_server *server)
{
    struct timeval limit = { .tv_sec = 1 };
    redisContext *context = redisConnectWithTimeout("127.0.0.1", server->port, limit);
    redisReply *reply = NULL;
    bool ready = false;

    if (context != NULL && context->err == 0 &&
        redisSetTimeout(context, limit) == REDIS_OK)
        reply = redisCommand(context, "PING");
    if (reply != NULL)
        ready =
            reply->type != REDIS_REPLY_ERROR || strncmp(reply->str, "LOADING", 7) != 0;
    if (reply != NULL)
        freeReplyObject(reply);
    if (context != NULL)
        redisFree(context);
    return ready;
}

/* False when the server ended by itself: its port was taken, or an argument is wrong. */
static bool wait_until_up(struct redis_server *server)
{
    int64_t deadline = now_ms() + START_DEADLINE_MS;

    while (!answers(server)) {
        if (waitpid(server->process->pid, NULL, WNOHANG) == server->process->pid) {
            server->process->pid = 0;
            return false;
        }
        if (now_ms() > deadline)
            die("redis-server does not answer");
        nap();
    }
    return true;
}

/* --- its folder */

/* A shell that removes the folder when this program lets go of the pipe, or dies in
 * whatever way. The server itself dies with the thread that started it. */
static void run_cleaner(const char *dir, int pipe_end)
{
    if (setsid() < 0 || dup2(pipe_end, STDIN_FILENO) < 0)
        _exit(126);
    execl("/bin/sh", "sh", "-c",
          "trap '' HUP INT TERM; read -r _; rm -rf \"$0\" || { sleep 1; rm -rf \"$0\"; }",
          dir, (char *)NULL);
    _exit(127);
}

static void start_cleaner(struct redis_process *process)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        die("pipe failed");
    process->cleaner = fork();
    if (process->cleaner < 0)
        die("fork failed");
    if (process->cleaner == 0)
        run_cleaner(process->dir, ends[0]);
    (void)close(ends[0]); /* the shell has its own */
    process->cleaner_pipe = ends[1];
}

static void finish_cleaner(const struct redis_process *process)
{
    (void)close(process->cleaner_pipe); /* this is what it waits for */
    while (waitpid(process->cleaner, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void print_log(const struct redis_server *server)
{
    char path[160];
    char line[512];
    FILE *log;

    (void)snprintf(path, sizeof path, "%s/redis.log", server->dir);
    log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        (void)fputs(line, stderr);
    if (log != NULL)
        (void)fclose(log); /* it was only read */
}

static char *expand(const char *arg, const char *dir)
{
    char *text = NULL;
    bool in_dir = strncmp(arg, "%DIR%", 5) == 0;

    if (asprintf(&text, "%s%s", in_dir ? dir : "", in_dir ? arg + 5 : arg) < 0)
        die("out of memory");
    return text;
}

static void copy_args(struct redis_server *server, const char *const *extra)
{
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++) {
        if (i == REDIS_SERVER_ARGS_MAX)
            die("too many arguments");
        server->args[i] = expand(extra[i], server->dir);
        if (i > 0 && strcmp(extra[i - 1], "--requirepass") == 0)
            server->password = server->args[i];
    }
}

static void end_process(struct redis_process *process)
{
    if (process->pid == 0)
        return;
    if (kill(process->pid, SIGKILL) != 0)
        die("cannot end redis-server");
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    process->pid = 0;
}

static void forget(struct redis_process *process)
{
    struct redis_process **at = &living;

    while (*at != process)
        at = &(*at)->next;
    *at = process->next;
    finish_cleaner(process);
    free(process);
}

static void stop_living(void)
{
    while (living != NULL) {
        end_process(living);
        forget(living);
    }
}

static struct redis_process *remember(const char *dir)
{
    static bool registered;
    struct redis_process *process = calloc(1, sizeof *process);

    if (process == NULL || (!registered && atexit(stop_living) != 0))
        die("out of memory");
    registered = true;
    (void)snprintf(process->dir, sizeof process->dir, "%s", dir);
    start_cleaner(process);
    process->next = living;
    living = process;
    return process;
}

void redis_server_start(struct redis_server *server, const char *const *extra)
{
    const char *tmp = getenv("TMPDIR");

    memset(server, 0, sizeof *server);
    (void)snprintf(server->dir, sizeof server->dir, "%s/bulwark-redis-XXXXXX",
                   tmp != NULL && strlen(tmp) < 64 ? tmp : "/tmp");
    if (mkdtemp(server->dir) == NULL)
        die("mkdtemp failed");
    copy_args(server, extra);
    server->process = remember(server->dir);
    for (int tries = 0; tries < PORT_TRIES; tries++) {
        server->port = free_port();
        launch(server);
        if (wait_until_up(server)) {
            (void)snprintf(server->url, sizeof server->url, "redis://127.0.0.1:%u",
                           (unsigned)server->port);
            return;
        }
    }
    print_log(server);
    die("redis-server does not start");
}

void redis_server_stop(struct redis_server *server)
{
    if (server->process == NULL)
        return;
    end_process(server->process);
    forget(server->process);
    for (size_t i = 0; server->args[i] != NULL; i++)
        free(server->args[i]);
    memset(server, 0, sizeof *server);
}

void redis_server_halt(struct redis_server *server)
{
    end_process(server->process);
}

void redis_server_restart(struct redis_server *server)
{
    redis_server_halt(server);
    launch(server);
    if (!wait_until_up(server)) {
        print_log(server);
        die("redis-server does not come back");
    }
}

void redis_server_pause(struct redis_server *server)
{
    int status;

    if (kill(server->process->pid, SIGSTOP) != 0)
        die("cannot stop redis-server");
    if (waitpid(server->process->pid, &status, WUNTRACED) != server->process->pid ||
        !WIFSTOPPED(status))
        die("redis-server does not stop");
}

void redis_server_cont(struct redis_server *server)
{
    if (kill(server->process->pid, SIGCONT) != 0)
        die("cannot continue redis-server");
}

/* --- queries */

static redisReply *query(const struct redis_server *server, const char *format,
                         va_list args)
{
    struct timeval limit = { .tv_sec = 10 };
    redisContext *context = redisConnectWithTimeout("127.0.0.1", server->port, limit);
    redisReply *reply;

    if (context == NULL || context->err != 0 ||
        redisSetTimeout(context, limit) != REDIS_OK)
        die("cannot connect for a query");
    if (server->password != NULL) {
        reply = redisCommand(context, "AUTH %s", server->password);
        if (reply == NULL)
            die("AUTH is not answered");
        freeReplyObject(reply);
    }
    reply = redisvCommand(context, format, args);
    if (reply == NULL)
        die("a query is not answered");
    redisFree(context);
    return reply;
}

static void print_reply(FILE *out, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        (void)fprintf(out, "%lld", reply->integer);
        break;
    case REDIS_REPLY_ARRAY:
        for (size_t i = 0; i < reply->elements; i++) {
            if (i > 0)
                (void)fputc('\n', out);
            print_reply(out, reply->element[i]);
        }
        break;
    case REDIS_REPLY_NIL:
        break;
    default:
        (void)fwrite(reply->str, 1, (size_t)reply->len, out);
    }
}

char *redis_server_text(const struct redis_server *server, const char *format, ...)
{
    va_list args;
    redisReply *reply;
    char *text = NULL;
    size_t len = 0;
    FILE *out;

    va_start(args, format);
    reply = query(server, format, args);
    va_end(args);
    if (reply->type != REDIS_REPLY_NIL) {
        out = open_memstream(&text, &len);
        if (out == NULL)
            die("out of memory");
        print_reply(out, reply);
        if (fclose(out) != 0)
            die("out of memory");
    }
    freeReplyObject(reply);
    return text;
}

int64_t redis_server_integer(const struct redis_server *server, const char *format, ...)
{
    va_list args;
    redisReply *reply;
    int64_t number;

    va_start(args, format);
    reply = query(server, format, args);
    va_end(args);
    if (reply->type != REDIS_REPLY_INTEGER) {
        (void)fprintf(stderr, "redis_server: \"%s\" gave no integer: %s\n", format,
                      reply->str != NULL ? reply->str : "");
        abort();
    }
    number = reply->integer;
    freeReplyObject(reply);
    return number;
}
