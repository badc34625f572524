#include "support/pg_server.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "support/redis_server.h" /* free_port */

#define START_DEADLINE_MS 30000
#define FAMILY_MAX        128

static struct pg_server *living;

static void die(const char *what)
{
    (void)fprintf(stderr, "pg_server: %s (errno: %s)\n", what, strerror(errno));
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

/* --- processes */

/* The newest /usr/lib/postgresql/<version>/bin, else whatever PATH has. */
static void find_bin(struct pg_server *server)
{
    glob_t found;

    server->bin[0] = '\0';
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0 && found.gl_pathc > 0)
        (void)snprintf(server->bin, sizeof server->bin, "%s/",
                       found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
}

static void become_postgres(const struct passwd *user)
{
    if (user == NULL)
        return;
    if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0)
        _exit(126);
}

static const struct passwd *other_user(void)
{
    const struct passwd *user;

    if (geteuid() != 0)
        return NULL;
    user = getpwnam("postgres");
    if (user == NULL)
        die("there is no user postgres");
    return user;
}

static pid_t spawn(const struct pg_server *server, const char *program,
                   const char *const *argv)
{
    const struct passwd *user = other_user();
    pid_t parent = getpid();
    pid_t pid = fork();
    const char *args[24] = { NULL };
    char path[256];
    int log;

    if (pid < 0)
        die("fork failed");
    if (pid > 0)
        return pid;
    become_postgres(user);
    if (prctl(PR_SET_PDEATHSIG, SIGQUIT) != 0 || getppid() != parent ||
        chdir(server->dir) != 0)
        _exit(126);
    log = open("server.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(126);
    (void)snprintf(path, sizeof path, "%s%s", server->bin, program); /* fits: see bin */
    /* With its path: the program looks for its companions beside argv[0]. */
    args[0] = path;
    for (size_t i = 1; argv[i] != NULL && i + 1 < sizeof args / sizeof args[0]; i++)
        args[i] = argv[i];
    (void)execvp(path, (char *const *)args); /* only returns when it failed */
    _exit(127);
}

static int await(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid failed");
    return status;
}

static void print_log(const struct pg_server *server)
{
    char path[160];
    char line[512];
    FILE *log;

    (void)snprintf(path, sizeof path, "%s/server.log", server->dir); /* fits */
    log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        (void)fputs(line, stderr);
    if (log != NULL)
        (void)fclose(log); /* it was only read */
}

static pid_t parent_of(pid_t pid)
{
    char path[64];
    char line[512];
    const char *end;
    FILE *file;
    long parent = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid); /* fits */
    file = fopen(path, "r");
    if (file == NULL)
        return 0; /* gone meanwhile */
    if (fgets(line, sizeof line, file) != NULL && (end = strrchr(line, ')')) != NULL &&
        strlen(end) > 4)
        parent = strtol(end + 4, NULL, 10); /* ") S 123" */
    (void)fclose(file);                     /* it was only read */
    return (pid_t)parent;
}

static void signal_children(const struct pg_server *server, int number)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;

    if (proc == NULL)
        die("cannot list /proc");
    while ((entry = readdir(proc)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(pid) == server->pid)
            (void)kill(pid, number); /* it may be gone by now */
    }
    (void)closedir(proc); /* it was only read */
}

/* --- its folder */

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_folder(const char *dir)
{
    if (nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        (void)fprintf(stderr, "pg_server: %s stays: %s\n", dir, strerror(errno));
}

static void write_password(const struct pg_server *server)
{
    char path[160];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/password", server->dir); /* fits */
    file = fopen(path, "w");
    if (file == NULL || fputs(PG_SERVER_PASSWORD "\n", file) < 0 || fclose(file) != 0)
        die("cannot write the password");
}

static void make_folder(struct pg_server *server)
{
    const char *tmp = getenv("TMPDIR");
    const struct passwd *user = other_user();

    (void)snprintf(server->dir, sizeof server->dir, "%s/bulwark-pg-XXXXXX",
                   tmp != NULL && strlen(tmp) < 64 ? tmp : "/tmp"); /* fits */
    if (mkdtemp(server->dir) == NULL)
        die("mkdtemp failed");
    write_password(server);
    if (user != NULL && chown(server->dir, user->pw_uid, user->pw_gid) != 0)
        die("chown failed");
}

static void init_data(const struct pg_server *server)
{
    const char *argv[] = { "initdb",
                           "-D",
                           "data",
                           "-U",
                           "bulwark",
                           "-E",
                           "UTF8",
                           "--locale=C",
                           "--auth=scram-sha-256",
                           "--pwfile=password",
                           "--no-sync",
                           "-N",
                           NULL };
    int status = await(spawn(server, "initdb", argv));

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    print_log(server);
    die("initdb failed");
}

/* --- life */

static void stop_living(void)
{
    while (living != NULL)
        pg_server_stop(living);
}

static void remember(struct pg_server *server)
{
    static bool registered;

    if (!registered && atexit(stop_living) != 0)
        die("atexit failed");
    registered = true;
    server->next = living;
    living = server;
}

static void forget(const struct pg_server *server)
{
    struct pg_server **at = &living;

    while (*at != NULL && *at != server)
        at = &(*at)->next;
    if (*at != NULL)
        *at = server->next;
}

void pg_server_launch(struct pg_server *server)
{
    char port[8];
    const char *argv[] = { "postgres",
                           "-D",
                           "data",
                           "-p",
                           port,
                           "-h",
                           "127.0.0.1",
                           "-k",
                           server->dir,
                           "-c",
                           "fsync=off",
                           "-c",
                           "full_page_writes=off",
                           "-c",
                           "max_connections=60",
                           "-c",
                           "shared_buffers=32MB",
                           "-c",
                           "autovacuum=off",
                           "-c",
                           "timezone=Asia/Tokyo",
                           NULL };

    (void)snprintf(port, sizeof port, "%u", (unsigned)server->port); /* fits */
    server->pid = spawn(server, "postgres", argv);
}

void pg_server_wait(struct pg_server *server)
{
    int64_t deadline = now_ms() + START_DEADLINE_MS;

    while (PQping(server->url) != PQPING_OK) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid || now_ms() > deadline) {
            print_log(server);
            die("PostgreSQL does not start");
        }
        nap();
    }
}

static void load(const struct pg_server *server, const char *path)
{
    FILE *file = fopen(path, "r");
    char *sql = NULL;
    size_t cap = 0;

    if (file == NULL || getdelim(&sql, &cap, '\0', file) < 0)
        die("cannot read the SQL file");
    (void)fclose(file); /* it was only read */
    free(pg_server_text(server, sql));
    free(sql);
}

void pg_server_start(struct pg_server *server, const char *sql_file)
{
    memset(server, 0, sizeof *server);
    find_bin(server);
    make_folder(server);
    remember(server);
    init_data(server);
    server->port = free_port();
    (void)snprintf(server->url, sizeof server->url,
                   "postgresql://bulwark:" PG_SERVER_PASSWORD "@127.0.0.1:%u/postgres",
                   (unsigned)server->port); /* fits */
    pg_server_launch(server);
    pg_server_wait(server);
    if (sql_file != NULL)
        load(server, sql_file);
}

void pg_server_halt(struct pg_server *server)
{
    if (server->pid == 0)
        return;
    if (kill(server->pid, SIGQUIT) != 0)
        die("cannot end PostgreSQL");
    signal_children(server, SIGCONT); /* in case it is paused: else it would never end */
    (void)kill(server->pid, SIGCONT); /* it may be gone already */
    (void)await(server->pid);         /* however it ended */
    server->pid = 0;
}

void pg_server_stop(struct pg_server *server)
{
    if (server->dir[0] == '\0')
        return;
    pg_server_halt(server);
    forget(server);
    remove_folder(server->dir);
    memset(server, 0, sizeof *server);
}

void pg_server_restart(struct pg_server *server)
{
    pg_server_halt(server);
    pg_server_launch(server);
    pg_server_wait(server);
}

/* --- pausing */

/* The parent first: it cannot start more of them then. */
void pg_server_pause(struct pg_server *server)
{
    int status;

    if (kill(server->pid, SIGSTOP) != 0)
        die("cannot pause PostgreSQL");
    if (waitpid(server->pid, &status, WUNTRACED) != server->pid || !WIFSTOPPED(status))
        die("PostgreSQL does not pause");
    signal_children(server, SIGSTOP);
}

void pg_server_cont(struct pg_server *server)
{
    signal_children(server, SIGCONT);
    if (kill(server->pid, SIGCONT) != 0)
        die("cannot continue PostgreSQL");
}

/* --- queries */

static char *first_column(const PGresult *result)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (out == NULL)
        die("out of memory");
    for (int row = 0; row < PQntuples(result); row++)
        (void)fprintf(out, "%s%s", row > 0 ? "\n" : "", PQgetvalue(result, row, 0));
    if (fclose(out) != 0)
        die("out of memory");
    return text;
}

static void no_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

char *pg_server_text(const struct pg_server *server, const char *sql)
{
    PGconn *connection = PQconnectdb(server->url);
    PGresult *result;
    char *text;

    (void)PQsetNoticeReceiver(connection, no_notice,
                              NULL); /* the former one is libpq's */
    result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK &&
        PQresultStatus(result) != PGRES_COMMAND_OK) {
        (void)fprintf(stderr, "pg_server: %s", PQerrorMessage(connection));
        die("a query failed");
    }
    text = first_column(result);
    PQclear(result);
    PQfinish(connection);
    return text;
}

int64_t pg_server_integer(const struct pg_server *server, const char *sql)
{
    char *text = pg_server_text(server, sql);
    int64_t number = strtoll(text, NULL, 10);

    free(text);
    return number;
}
