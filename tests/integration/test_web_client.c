/* worker/web/client.h against a server of this test's own: redirects, sizes, times, cuts,
 * and connections that may not be used. worker/workflow/spec/workflow.md §5.3.4, WF-147
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include <bulwark/thread.h>
#include <bulwark/time.h>

#include "web/client.h"

#define WAIT_MS 10000

/* --- a server: one connection at a time, one answer a path */

struct server {
    int listener, stop[2];
    unsigned short port;
    pthread_t thread;
    atomic_uint requests;
    char last[4096]; /* the request before the answer that is being given */
};

static void reply(int fd, const char *head, size_t body)
{
    char text[512], block[4096];
    int len = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
                       head, body);

    memset(block, 'x', sizeof(block));
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) < 0)
        return;
    while (body > 0) {
        ssize_t sent =
            send(fd, block, body < sizeof(block) ? body : sizeof(block), MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        body -= (size_t)sent;
    }
}

/* False: the connection is to be closed. */
static bool serve(struct server *server, int fd, const char *request)
{
    char head[160];

    if (strstr(request, " /ok") != NULL) {
        reply(fd, "200 OK", 2);
    } else if (strstr(request, " /bye") != NULL) {
        reply(fd, "200 OK\r\nConnection: close", 2);
        return false;
    } else if (strstr(request, " /big") != NULL) {
        reply(fd, "200 OK", 100000);
    } else if (strstr(request, " /once") != NULL) {
        (void)snprintf(head, sizeof(head),
                       "302 Found\r\nLocation: http://127.0.0.1:%hu/ok", server->port);
        reply(fd, head, 0);
    } else if (strstr(request, " /away") != NULL) { /* the same server, another host */
        (void)snprintf(head, sizeof(head),
                       "%.3s Away\r\nConnection: close\r\nLocation: http://%s:%hu/bye",
                       strstr(request, " /away/") + 7, "localhost", server->port);
        reply(fd, head, 0);
        return false; /* one connection at a time */
    } else if (strstr(request, " /stay") != NULL) {
        reply(fd, "307 Stay\r\nLocation: /bye", 0);
    } else if (strstr(request, " /back") != NULL) { /* away, and home again */
        (void)snprintf(
            head, sizeof(head),
            "302 Found\r\nConnection: close\r\nLocation: http://localhost:%hu/home",
            server->port);
        reply(fd, head, 0);
        return false;
    } else if (strstr(request, " /home") != NULL) {
        (void)snprintf(
            head, sizeof(head),
            "302 Found\r\nConnection: close\r\nLocation: http://127.0.0.1:%hu/bye",
            server->port);
        reply(fd, head, 0);
        return false;
    } else if (strstr(request, " /loop") != NULL) {
        reply(fd, "302 Found\r\nLocation: /loop", 0);
    } else if (strstr(request, " /file") != NULL) {
        reply(fd, "302 Found\r\nLocation: file:///etc/passwd", 0);
    } else if (strstr(request, " /slow") != NULL) {
        (void)poll(&(struct pollfd){ .fd = server->stop[0], .events = POLLIN }, 1,
                   WAIT_MS); /* until the test is over, or the client has gone */
        return false;
    } else if (strstr(request, " /half") != NULL) {
        (void)send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxx", 41,
                   MSG_NOSIGNAL); /* cut short on purpose */
        return false;
    } else {
        return false;
    }
    return true;
}

static void converse(struct server *server, int fd)
{
    struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
                             { .fd = server->stop[0], .events = POLLIN } };
    char request[4096];
    size_t len = 0;

    while (poll(fds, 2, WAIT_MS) > 0 && fds[1].revents == 0) {
        ssize_t got = recv(fd, request + len, sizeof(request) - 1 - len, 0);

        if (got <= 0)
            return;
        len += (size_t)got;
        request[len] = '\0';
        if (strstr(request, "\r\n\r\n") == NULL)
            continue;
        server->requests++;
        memcpy(server->last, request, len + 1);
        if (!serve(server, fd, request))
            return;
        len = 0;
    }
}

static void *server_main(void *arg)
{
    struct server *server = arg;
    struct pollfd fds[2] = { { .fd = server->listener, .events = POLLIN },
                             { .fd = server->stop[0], .events = POLLIN } };

    while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            continue;
        converse(server, fd);
        (void)close(fd); /* the answer is out */
    }
    return NULL;
}

static void server_start(struct server *server)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);

    memset(server, 0, sizeof(*server));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)(void *)&in, len), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)(void *)&in, &len),
                     0);
    server->port = ntohs(in.sin_port);
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
}

static void server_stop(struct server *server)
{
    (void)close(server->stop[1]); /* wakes every poll */
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    (void)close(server->stop[0]);
    (void)close(server->listener);
}

/* --- asking */

struct asked {
    struct bw_mutex mutex;
    struct bw_cond cond;
    bool done;
    enum web_outcome outcome;
    int status;
    size_t len;
    char error[256];
};

static void answered(const struct web_answer *answer, void *arg)
{
    struct asked *asked = arg;

    bw_mutex_lock(&asked->mutex);
    asked->done = true;
    asked->outcome = answer->outcome;
    asked->status = answer->status;
    asked->len = answer->len;
    (void)snprintf(asked->error, sizeof(asked->error), "%s", answer->error);
    bw_cond_signal(&asked->cond);
    bw_mutex_unlock(&asked->mutex);
}

static struct server server;
static struct web_client *client;

static struct asked ask(const char *host, const char *path, bool any_address,
                        int64_t timeout_ms)
{
    struct web_request request = { .method = "GET",
                                   .timeout_ms = timeout_ms,
                                   .max_body = 50000 };
    struct bw_mono until = bw_mono_add_ms(bw_mono_now(NULL), WAIT_MS);
    struct asked asked = { .done = false };
    char url[128];

    (void)snprintf(url, sizeof(url), "http://%s:%hu%s", host, server.port, path);
    request.url = url;
    request.any_address = any_address;
    bw_mutex_init(&asked.mutex);
    bw_cond_init(&asked.cond);
    assert_int_equal(web_client_submit(client, &request, answered, &asked, NULL), BW_OK);
    bw_mutex_lock(&asked.mutex);
    while (!asked.done && bw_mono_before(bw_mono_now(NULL), until))
        (void)bw_cond_wait_until(&asked.cond, &asked.mutex, until);
    bw_mutex_unlock(&asked.mutex);
    assert_true(asked.done);
    return asked;
}

/* A request with a key and a body; what the server saw last is in server.last. */
static struct asked ask_with_key(const char *path, const char *method,
                                 const char *domains, bool chosen)
{
    static const char *const headers[] = { "X-API-Key: s3cret",
                                           "Authorization: Bearer s3cret",
                                           "Cookie: a=s3cret",
                                           "X-Empty;",
                                           "Accept: text/plain",
                                           "Content-Type: application/json",
                                           NULL };
    struct web_request request = { .method = method,
                                   .headers = headers,
                                   .domains = domains,
                                   .timeout_ms = 5000,
                                   .max_body = 50000,
                                   .any_address = !chosen,
                                   .chosen = chosen };
    struct bw_mono until = bw_mono_add_ms(bw_mono_now(NULL), WAIT_MS);
    struct asked asked = { .done = false };
    char url[128];

    (void)snprintf(url, sizeof(url), "http://me:s3cret@127.0.0.1:%hu%s", server.port,
                   path);
    request.url = url;
    if (strcmp(method, "GET") != 0) {
        request.body = "{}";
        request.body_len = 2;
    }
    bw_mutex_init(&asked.mutex);
    bw_cond_init(&asked.cond);
    assert_int_equal(web_client_submit(client, &request, answered, &asked, NULL), BW_OK);
    bw_mutex_lock(&asked.mutex);
    while (!asked.done && bw_mono_before(bw_mono_now(NULL), until))
        (void)bw_cond_wait_until(&asked.cond, &asked.mutex, until);
    bw_mutex_unlock(&asked.mutex);
    assert_true(asked.done);
    return asked;
}

static int open_all(void **state)
{
    struct bw_error err = { 0 };

    (void)state;
    server_start(&server);
    assert_int_equal(web_client_create(&client, &err), BW_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    web_client_destroy(&client);
    assert_null(client);
    server_stop(&server);
    return 0;
}

static void test_answers(void **state)
{
    struct asked asked = ask("127.0.0.1", "/ok", true, 20000);

    (void)state;
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    assert_int_equal(asked.status, 200);
    assert_int_equal(asked.len, 2);
    asked = ask("127.0.0.1", "/once", true, 20000);
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    assert_int_equal(asked.status, 200);
}

static void test_redirects(void **state)
{
    struct asked asked = ask("127.0.0.1", "/loop", true, 20000);

    (void)state;
    assert_int_equal(asked.outcome, WEB_FAILED);
    assert_non_null(strstr(asked.error, "redirects"));
    asked = ask("127.0.0.1", "/file", true, 20000);
    assert_int_equal(asked.outcome, WEB_UNSAFE);
}

/* Each hop is held against the list, not only the first. */
static void test_redirect_domains(void **state)
{
    struct asked asked = ask_with_key("/away/302", "GET", "127.0.0.1", false);

    (void)state;
    assert_int_equal(asked.outcome, WEB_UNSAFE);
    assert_string_equal(asked.error, "its domain is not on the list");
    assert_int_equal(server.requests, 1);
    asked = ask_with_key("/away/302", "GET", "127.0.0.1, localhost", false);
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    asked = ask_with_key("/stay", "GET", "127.0.0.1", false);
    assert_int_equal(asked.outcome, WEB_ANSWERED);
}

/* What was meant for the first host does not reach another one, not even when that one
 * sends the request back; within the host all goes along. */
static void test_redirect_headers(void **state)
{
    struct asked asked = ask_with_key("/stay", "POST", NULL, false);

    (void)state;
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    assert_non_null(strstr(server.last, "POST /bye"));
    assert_non_null(strstr(server.last, "X-API-Key: s3cret"));
    assert_non_null(strstr(server.last, "Cookie: a=s3cret"));
    asked = ask_with_key("/away/307", "POST", NULL, false);
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    assert_non_null(strstr(server.last, "POST /bye"));
    assert_non_null(strstr(server.last, "Host: localhost"));
    assert_non_null(strstr(server.last, "Accept: text/plain"));
    assert_non_null(strstr(server.last, "Content-Type: application/json"));
    assert_null(strstr(server.last, "s3cret"));
    assert_null(strstr(server.last, "X-Empty"));
    assert_null(strstr(server.last, "Authorization"));
    asked = ask_with_key("/away/303", "POST", NULL, false);
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    assert_non_null(strstr(server.last, "GET /bye"));
    assert_null(strstr(server.last, "Content-Type"));
    assert_null(strstr(server.last, "s3cret"));
    asked = ask_with_key("/back", "GET", NULL, false);
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    assert_non_null(strstr(server.last, "Host: 127.0.0.1"));
    assert_null(strstr(server.last, "s3cret"));
}

/* The operator's own address may be private; where it redirects to is judged. */
static void test_chosen(void **state)
{
    struct asked asked = ask_with_key("/stay", "GET", "example.com", true);

    (void)state;
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    asked = ask_with_key("/away/302", "GET", NULL, true);
    assert_int_equal(asked.outcome, WEB_UNSAFE);
}

static void test_limits(void **state)
{
    struct bw_mono before = bw_mono_now(NULL);
    struct asked asked = ask("127.0.0.1", "/big", true, 20000);

    (void)state;
    assert_int_equal(asked.outcome, WEB_FAILED);
    assert_string_equal(asked.error, "the answer is too long");
    asked = ask("127.0.0.1", "/half", true, 20000);
    assert_int_equal(asked.outcome, WEB_FAILED);
    asked = ask("127.0.0.1", "/slow", true, 300);
    assert_int_equal(asked.outcome, WEB_FAILED);
    assert_true(bw_mono_ms_until(before, bw_mono_now(NULL)) < WAIT_MS);
}

/* The name resolves to a closed address; the address itself; and a kept connection that
 * was opened for somebody who was allowed to. */
static void test_closed(void **state)
{
    unsigned requests = server.requests;
    struct asked asked = ask("localhost", "/ok", false, 20000);

    (void)state;
    assert_int_equal(asked.outcome, WEB_UNSAFE);
    asked = ask("127.0.0.1", "/ok", false, 20000);
    assert_int_equal(asked.outcome, WEB_UNSAFE);
    asked = ask("127.0.0.1", "/ok", true, 20000);
    assert_int_equal(asked.outcome, WEB_ANSWERED);
    asked = ask("127.0.0.1", "/ok", false, 20000);
    assert_int_equal(asked.outcome, WEB_UNSAFE);
    assert_int_equal(server.requests, requests + 1);
}

/* A request is given up under way, and before it could begin; others are not harmed. */
static void test_cancel(void **state)
{
    struct web_request request = { .method = "GET", .timeout_ms = 60000, .max_body = 9 };
    struct asked asked[2] = { { .done = false }, { .done = false } };
    struct web_call *calls[2];
    struct bw_mono until = bw_mono_add_ms(bw_mono_now(NULL), WAIT_MS);
    char url[64];

    (void)state;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%hu/slow", server.port);
    request.url = url;
    request.any_address = true;
    for (size_t i = 0; i < 2; i++) {
        bw_mutex_init(&asked[i].mutex);
        bw_cond_init(&asked[i].cond);
        assert_int_equal(
            web_client_submit(client, &request, answered, &asked[i], &calls[i]), BW_OK);
        if (i == 0)
            while (server.requests == 0 && bw_mono_before(bw_mono_now(NULL), until))
                (void)poll(NULL, 0, 1); /* until it is under way */
        web_client_cancel(client, calls[i]);
        bw_mutex_lock(&asked[i].mutex);
        while (!asked[i].done && bw_mono_before(bw_mono_now(NULL), until))
            (void)bw_cond_wait_until(&asked[i].cond, &asked[i].mutex, until);
        bw_mutex_unlock(&asked[i].mutex);
        assert_true(asked[i].done);
        assert_int_equal(asked[i].outcome, WEB_FAILED);
        assert_string_equal(asked[i].error, "cancelled");
    }
}

/* What is in flight when the client ends is answered. */
static void test_end(void **state)
{
    struct web_request request = { .method = "GET", .timeout_ms = 60000, .max_body = 1 };
    struct asked asked = { .done = false };
    char url[64];

    (void)state;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%hu/slow", server.port);
    request.url = url;
    request.any_address = true;
    bw_mutex_init(&asked.mutex);
    bw_cond_init(&asked.cond);
    assert_int_equal(web_client_submit(client, &request, answered, &asked, NULL), BW_OK);
    web_client_destroy(&client);
    assert_true(asked.done);
    assert_int_equal(asked.outcome, WEB_FAILED);
    assert_string_equal(asked.error, "the worker ends");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_redirects, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_redirect_domains, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_redirect_headers, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_chosen, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_limits, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_closed, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_cancel, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_end, open_all, close_all),
    };
    int failed;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    failed = cmocka_run_group_tests_name("web_client", tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
