#include "http/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <microhttpd.h>

#include <bulwark/thread.h>
#include <bulwark/time.h>

#include "http/guests.h"
#include "http/listen.h"

#define REQUEST_MS  5000                /* for a whole request, or to begin one */
#define MEMORY_EACH ((size_t)16 * 1024) /* a connection's: bounds URL and headers */
#define STACK_SIZE  ((size_t)256 * 1024)
#define BODY_MAX    ((size_t)64 * 1024)

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_options options;
    struct http_listen listen;
    struct http_guests guests;
    pthread_t thread;
    int wake; /* an eventfd: the thread is to end */
};

struct upload { /* what a request's body came to; it is read and dropped */
    size_t len;
};

static const char *bearer_of(struct MHD_Connection *connection)
{
    static const char scheme[] = "Bearer ";
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_AUTHORIZATION);

    if (value == NULL || strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    return value + sizeof scheme - 1;
}

/* Takes the body. */
static enum MHD_Result send_response(struct MHD_Connection *connection,
                                     struct http_response *answer)
{
    size_t len = answer->body.len;
    char *text = bw_buf_take(&answer->body);
    struct MHD_Response *response;
    enum MHD_Result result;

    if (text == NULL)
        return MHD_NO;
    response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(text);
        return MHD_NO;
    }
    result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                     answer->content_type);
    if (result == MHD_YES && answer->allow != NULL)
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    if (result == MHD_YES)
        result =
            MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (result == MHD_YES)
        result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_request(struct http_server *server,
                                      struct MHD_Connection *connection, const char *path,
                                      const char *method)
{
    struct http_request request = {
        .method = method,
        .path = path,
        .bearer = bearer_of(connection),
        .local = server->listen.loopback,
        .host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                            MHD_HTTP_HEADER_HOST),
        .origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin"),
    };
    struct http_response response = { .status = 500, .content_type = "application/json" };
    enum MHD_Result result;

    server->options.answer(&request, &response, server->options.arg);
    result = send_response(connection, &response);
    bw_buf_fini(&response.body);
    return result;
}

/* Called for the headers first, then for each piece of the body, then once with none
 * left. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection,
                                  const char *path, const char *method,
                                  const char *version, const char *data, size_t *data_len,
                                  void **state)
{
    struct upload *upload = *state;

    (void)version;
    (void)data;
    if (upload == NULL) {
        *state = calloc(1, sizeof *upload);
        return *state != NULL ? MHD_YES : MHD_NO;
    }
    if (*data_len > 0) {
        upload->len += *data_len;
        *data_len = 0;
        return upload->len <= BODY_MAX ? MHD_YES : MHD_NO;
    }
    return answer_request(arg, connection, path, method);
}

static struct http_guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

static void on_end(void *arg, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    struct http_guest *guest = guest_of(connection);

    (void)arg;
    (void)code;
    if (guest != NULL)
        http_guest_answered(guest, bw_mono_now(NULL));
    free(*state);
    *state = NULL;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = arg;
    const union MHD_ConnectionInfo *info;
    int fd;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_guest_gone(*context);
        return;
    }
    /* libmicrohttpd 1.0 answers every question in the same place: one at a time. */
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    fd = info->connect_fd;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *context = http_guest_came(&server->guests, fd, info->client_addr, bw_mono_now(NULL));
}

/* Percent encoding is left to whoever splits the path: a name may hold a slash. */
static size_t keep_escapes(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg;
    (void)connection;
    return strlen(text);
}

static void BW_PRINTF(2, 0) on_log(void *arg, const char *format, va_list args)
{
    struct http_server *server = arg;
    char text[256];

    if (!bw_log_enabled(server->options.log, BW_LOG_DEBUG))
        return;
    (void)vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    bw_log(server->options.log, BW_LOG_DEBUG, "http", bw_text("detail", text));
}

/* --- the thread: the library is polled, so that deadlines are ours */

static int wait_ms(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG library;
    int ours = http_guests_sweep(&server->guests, REQUEST_MS, bw_mono_now(NULL));

    if (MHD_get_timeout(server->daemon, &library) != MHD_YES)
        return ours;
    return ours < 0 || library < (MHD_UNSIGNED_LONG_LONG)ours ? (int)library : ours;
}

static void *serve(void *arg)
{
    struct http_server *server = arg;
    struct pollfd fds[2] = {
        { .fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
          .events = POLLIN },
        { .fd = server->wake, .events = POLLIN },
    };

    while (fds[1].revents == 0) {
        if (poll(fds, 2, wait_ms(server)) < 0 && errno != EINTR)
            break; /* it cannot fail but for want of memory in the kernel */
        (void)MHD_run(server->daemon); /* fails for a daemon of another kind only */
    }
    return NULL;
}

static int start_thread(struct http_server *server, struct bw_error *err)
{
    pthread_attr_t attr;
    int rc = pthread_attr_init(&attr);

    if (rc == 0) {
        rc = pthread_attr_setstacksize(&attr, STACK_SIZE);
        if (rc == 0)
            rc = pthread_create(&server->thread, &attr, serve, server);
        (void)pthread_attr_destroy(&attr); /* cannot fail for one that was made */
    }
    return rc == 0 ? BW_OK : bw_error_errno(err, rc, "the HTTP server's thread");
}

static int start(struct http_server *server, struct bw_error *err)
{
    int rc;

    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake < 0) {
        rc = bw_error_errno(err, errno, "eventfd");
        (void)close(server->listen.fd); /* it was never used */
        return rc;
    }
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, server,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, server, MHD_OPTION_LISTEN_SOCKET,
        server->listen.fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_GUESTS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_EACH, MHD_OPTION_NOTIFY_COMPLETED,
        on_end, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (server->daemon == NULL) {
        (void)close(server->listen.fd); /* it was never used */
        rc = bw_error_set(err, BW_ESYSTEM, "the HTTP server did not start");
    } else {
        rc = start_thread(server, err);
        if (rc != BW_OK)
            MHD_stop_daemon(server->daemon); /* closes the listening socket, too */
    }
    if (rc != BW_OK)
        (void)close(server->wake);
    return rc;
}

int http_server_create(struct http_server **serverp, const struct http_options *options,
                       struct bw_error *err)
{
    struct http_server *server = calloc(1, sizeof *server);
    int rc;

    if (server == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    server->options = *options;
    rc = http_listen_open(&server->listen, options->listen, err);
    if (rc == BW_OK)
        rc = start(server, err);
    if (rc != BW_OK) {
        free(server);
        return rc;
    }
    *serverp = server;
    return BW_OK;
}

void http_server_destroy(struct http_server **serverp)
{
    struct http_server *server = *serverp;

    if (server == NULL)
        return;
    *serverp = NULL;
    bw_thread_check(eventfd_write(server->wake, 1), "eventfd_write");
    bw_thread_check(pthread_join(server->thread, NULL), "pthread_join");
    (void)close(server->wake);
    MHD_stop_daemon(server->daemon); /* closes the listening socket, too */
    free(server);
}

const char *http_server_address(const struct http_server *server)
{
    return server->listen.address;
}
