#include "http/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <microhttpd.h>

#include "http/listen.h"

#define CONNECTIONS_MAX 32u
#define IDLE_SECONDS    10u
#define MEMORY_EACH     ((size_t)16 * 1024) /* a connection's: bounds URL and headers */
#define STACK_SIZE      ((size_t)256 * 1024)
#define BODY_MAX        ((size_t)64 * 1024)

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_options options;
    struct http_listen listen;
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

static void on_end(void *arg, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    (void)arg;
    (void)connection;
    (void)code;
    free(*state);
    *state = NULL;
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

static int start(struct http_server *server, struct bw_error *err)
{
    server->daemon = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, server,
        MHD_OPTION_LISTEN_SOCKET, server->listen.fd, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_EACH, MHD_OPTION_THREAD_STACK_SIZE,
        STACK_SIZE, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (server->daemon == NULL)
        return bw_error_set(err, BW_ESYSTEM, "the HTTP server did not start");
    return BW_OK;
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
    if (rc == BW_OK) {
        rc = start(server, err);
        if (rc != BW_OK)
            (void)close(server->listen.fd); /* it was never used */
    }
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
    MHD_stop_daemon(server->daemon); /* closes the listening socket, too */
    free(server);
}

const char *http_server_address(const struct http_server *server)
{
    return server->listen.address;
}
