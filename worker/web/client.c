#include "web/client.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include <bulwark/buf.h>
#include <bulwark/thread.h>

#include "web/policy.h"

#define REDIRECTS_MAX      5L
#define CONNECT_TIMEOUT_MS 5000L
#define FLYING_MAX         64L /* connections at once; more requests wait for one */
#define IDLE_MS            60000

struct request {
    struct request *next, **prevp; /* in `waiting`, then in `flying` */
    CURL *easy;
    struct curl_slist *headers;
    char *method, *url, *body;
    size_t body_len, max_body;
    int64_t timeout_ms;
    bool any_address, unsafe, too_long;
    struct bw_buf answer;
    char error[CURL_ERROR_SIZE];
    web_done *done;
    void *arg;
};

struct web_client {
    CURLM *multi;
    pthread_t thread;
    struct request *flying; /* the thread's own */

    struct bw_mutex mutex; /* guards what follows */
    struct request *waiting;
    bool ending;
};

/* --- requests */

static void request_free(struct request *request)
{
    if (request->easy != NULL)
        curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    free(request->method);
    free(request->url);
    free(request->body);
    bw_buf_fini(&request->answer);
    free(request);
}

static bool copy_headers(struct request *request, const char *const *headers)
{
    for (; headers != NULL && *headers != NULL; headers++) {
        struct curl_slist *more = curl_slist_append(request->headers, *headers);

        if (more == NULL)
            return false;
        request->headers = more;
    }
    return true;
}

static struct request *request_new(const struct web_request *from)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->method = strdup(from->method);
    request->url = strdup(from->url);
    request->body = malloc(from->body_len + 1);
    request->body_len = from->body_len;
    request->max_body = from->max_body;
    request->timeout_ms = from->timeout_ms;
    request->any_address = from->any_address;
    if (request->method == NULL || request->url == NULL || request->body == NULL ||
        !copy_headers(request, from->headers)) {
        request_free(request);
        return NULL;
    }
    if (from->body != NULL) {
        memcpy(request->body, from->body, from->body_len);
    } else {
        free(request->body);
        request->body = NULL;
    }
    return request;
}

static void link_in(struct request **list, struct request *request)
{
    request->next = *list;
    request->prevp = list;
    if (request->next != NULL)
        request->next->prevp = &request->next;
    *list = request;
}

static void link_out(struct request *request)
{
    *request->prevp = request->next;
    if (request->next != NULL)
        request->next->prevp = request->prevp;
}

static void answer(struct request *request, enum web_outcome outcome, int status,
                   const char *error)
{
    struct web_answer result = { .outcome = outcome, .status = status, .error = error };

    result.body = request->answer.len > 0 ? bw_buf_text(&request->answer) : "";
    result.len = request->answer.len;
    request->done(&result, request->arg);
    request_free(request);
}

/* --- what curl asks */

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
    struct request *request = arg;
    size_t len = size * count; /* curl: never more than some kilobytes */

    if (len > request->max_body - request->answer.len) {
        request->too_long = true;
        return 0;
    }
    return bw_buf_add(&request->answer, data, len) == BW_OK ? len : 0;
}

/* A connection is to be opened: to the very address that will be used. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct request *request = arg;

    (void)purpose;
    if (!request->any_address && !web_policy_address_ok(&to->addr)) {
        request->unsafe = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static bool text_ok(const char *ip)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
        return web_policy_address_ok((const struct sockaddr *)(const void *)&in);
    return inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1 &&
           web_policy_address_ok((const struct sockaddr *)(const void *)&in6);
}

/* A request is about to go out: a kept connection may have been opened for a request that
 * was allowed more. */
static int on_request(void *arg, char *remote, char *local, int remote_port,
                      int local_port)
{
    struct request *request = arg;

    (void)local;
    (void)remote_port;
    (void)local_port;
    if (request->any_address || text_ok(remote))
        return CURL_PREREQFUNC_OK;
    request->unsafe = true;
    return CURL_PREREQFUNC_ABORT;
}

/* --- the thread */

static bool set_body(struct request *request)
{
    if (request->body == NULL)
        return true;
    return curl_easy_setopt(request->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)request->body_len) == CURLE_OK &&
           curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK;
}

static bool set_options(struct request *request)
{
    CURL *easy = request->easy;
    CURLcode code = CURLE_OK;

#define SET(option, value)                                                               \
    if (code == CURLE_OK)                                                                \
    code = curl_easy_setopt(easy, (option), (value))
    SET(CURLOPT_PRIVATE, request);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    SET(CURLOPT_PROXY, ""); /* whoever resolves the name must be us */
    SET(CURLOPT_USERAGENT, "bulwark");
    SET(CURLOPT_ACCEPT_ENCODING, ""); /* the limit counts what is unpacked */
    SET(CURLOPT_HTTPHEADER, request->headers);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, request);
    SET(CURLOPT_PREREQFUNCTION, on_request);
    SET(CURLOPT_PREREQDATA, request);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, request);
    SET(CURLOPT_ERRORBUFFER, request->error);
    if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else {
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
#undef SET
    return code == CURLE_OK && set_body(request);
}

static void start(struct web_client *client, struct request *request)
{
    request->easy = curl_easy_init();
    if (request->easy == NULL || !set_options(request) ||
        curl_multi_add_handle(client->multi, request->easy) != CURLM_OK) {
        answer(request, WEB_FAILED, 0, "out of memory");
        return;
    }
    link_in(&client->flying, request);
}

static void settle(struct request *request, CURLcode code)
{
    long status = 0;

    if (request->unsafe) {
        answer(request, WEB_UNSAFE, 0, "its address is not public");
    } else if (request->too_long) {
        bw_buf_clear(&request->answer);
        answer(request, WEB_FAILED, 0, "the answer is too long");
    } else if (code == CURLE_UNSUPPORTED_PROTOCOL) {
        answer(request, WEB_UNSAFE, 0, "only http and https are allowed");
    } else if (code == CURLE_OK &&
               curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status) ==
                   CURLE_OK) {
        answer(request, WEB_ANSWERED, (int)status, "");
    } else {
        answer(request, WEB_FAILED, 0,
               request->error[0] != '\0' ? request->error : curl_easy_strerror(code));
    }
}

static void collect(struct web_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        struct request *request = NULL;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request) !=
                CURLE_OK)
            continue;
        bw_thread_check((int)curl_multi_remove_handle(client->multi, request->easy),
                        "curl_multi_remove_handle");
        link_out(request);
        settle(request, code);
    }
}

/* Starts what was submitted; false: the end. */
static bool take_in(struct web_client *client)
{
    struct request *list, *next;
    bool ending;

    bw_mutex_lock(&client->mutex);
    list = client->waiting;
    client->waiting = NULL;
    ending = client->ending;
    bw_mutex_unlock(&client->mutex);
    for (; list != NULL; list = next) {
        next = list->next;
        if (ending)
            answer(list, WEB_FAILED, 0, "the worker ends");
        else
            start(client, list);
    }
    return !ending;
}

static void *client_main(void *arg)
{
    struct web_client *client = arg;
    int running;

    while (take_in(client)) {
        bw_thread_check((int)curl_multi_perform(client->multi, &running),
                        "curl_multi_perform");
        collect(client);
        bw_thread_check((int)curl_multi_poll(client->multi, NULL, 0, IDLE_MS, NULL),
                        "curl_multi_poll");
    }
    while (client->flying != NULL) {
        struct request *request = client->flying;

        link_out(request);
        bw_thread_check((int)curl_multi_remove_handle(client->multi, request->easy),
                        "curl_multi_remove_handle");
        answer(request, WEB_FAILED, 0, "the worker ends");
    }
    return NULL;
}

/* --- for any thread */

int web_client_submit(struct web_client *client, const struct web_request *from,
                      web_done *done, void *arg)
{
    struct request *request = request_new(from);

    if (request == NULL)
        return BW_ENOMEM;
    request->done = done;
    request->arg = arg;
    bw_mutex_lock(&client->mutex);
    link_in(&client->waiting, request);
    bw_mutex_unlock(&client->mutex);
    bw_thread_check((int)curl_multi_wakeup(client->multi), "curl_multi_wakeup");
    return BW_OK;
}

int web_client_create(struct web_client **clientp, struct bw_error *err)
{
    struct web_client *client = calloc(1, sizeof *client);
    int failed;

    if (client != NULL)
        client->multi = curl_multi_init();
    if (client == NULL || client->multi == NULL) {
        free(client);
        return bw_error_set(err, BW_ENOMEM, "web: out of memory");
    }
    bw_thread_check(
        (int)curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, FLYING_MAX),
        "curl_multi_setopt");
    bw_mutex_init(&client->mutex);
    failed = pthread_create(&client->thread, NULL, client_main, client);
    if (failed != 0) {
        bw_mutex_fini(&client->mutex);
        bw_thread_check((int)curl_multi_cleanup(client->multi), "curl_multi_cleanup");
        free(client);
        return bw_error_errno(err, failed, "web: thread");
    }
    *clientp = client;
    return BW_OK;
}

void web_client_destroy(struct web_client **clientp)
{
    struct web_client *client = *clientp;

    if (client == NULL)
        return;
    *clientp = NULL;
    bw_mutex_lock(&client->mutex);
    client->ending = true;
    bw_mutex_unlock(&client->mutex);
    bw_thread_check((int)curl_multi_wakeup(client->multi), "curl_multi_wakeup");
    bw_thread_check(pthread_join(client->thread, NULL), "pthread_join");
    bw_thread_check((int)curl_multi_cleanup(client->multi), "curl_multi_cleanup");
    bw_mutex_fini(&client->mutex);
    free(client);
}
