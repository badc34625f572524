#include "web/client.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include <bulwark/buf.h>
#include <bulwark/thread.h>
#include <bulwark/time.h>

#include "curl/loop.h"
#include "web/policy.h"
#include "web/redirect.h"

#define REDIRECTS_MAX      5
#define CONNECT_TIMEOUT_MS 5000L
#define FLYING_MAX         64L /* connections at once; more requests wait for one */

struct web_call {
    struct web_call *next, **prevp; /* in `waiting`, then in `flying` */
    struct web_call *next_cancelled;
    bool cancelled; /* asked for; guarded by the client's mutex, as the link is */
    CURL *easy;
    struct curl_slist *headers;
    char *url, *body, *domains;
    char method[16];
    size_t body_len, max_body;
    struct bw_mono until; /* the whole request, redirects included */
    unsigned redirects;
    bool any_address, chosen, unsafe, too_long;
    struct bw_buf answer;
    char error[CURL_ERROR_SIZE];
    web_done *done;
    void *arg;
};

struct web_client {
    struct wk_curl *curl;
    struct web_call *flying; /* the thread's own */

    struct bw_mutex mutex; /* guards what follows */
    struct web_call *waiting;
    struct web_call *cancelled; /* asked to be given up */
    bool ending;
};

/* --- requests */

static void call_free(struct web_call *call)
{
    curl_slist_free_all(call->headers);
    free(call->url);
    free(call->body);
    free(call->domains);
    bw_buf_fini(&call->answer);
    free(call);
}

static bool copy_headers(struct web_call *call, const char *const *headers)
{
    for (; headers != NULL && *headers != NULL; headers++) {
        struct curl_slist *more = curl_slist_append(call->headers, *headers);

        if (more == NULL)
            return false;
        call->headers = more;
    }
    return true;
}

static struct web_call *call_new(const struct web_request *from)
{
    struct web_call *call = calloc(1, sizeof *call);

    if (call == NULL)
        return NULL;
    if (strlen(from->method) < sizeof(call->method))
        strcpy(call->method, from->method);
    call->url = strdup(from->url);
    call->domains = strdup(from->domains != NULL ? from->domains : "");
    call->body = malloc(from->body_len + 1);
    call->body_len = from->body_len;
    call->max_body = from->max_body;
    call->until = bw_mono_add_ms(bw_mono_now(NULL), from->timeout_ms);
    call->any_address = from->any_address;
    call->chosen = from->chosen;
    if (call->method[0] == '\0' || call->url == NULL || call->domains == NULL ||
        call->body == NULL || !copy_headers(call, from->headers)) {
        call_free(call);
        return NULL;
    }
    if (from->body != NULL) {
        memcpy(call->body, from->body, from->body_len);
    } else {
        free(call->body);
        call->body = NULL;
    }
    return call;
}

static void link_in(struct web_call **list, struct web_call *call)
{
    call->next = *list;
    call->prevp = list;
    if (call->next != NULL)
        call->next->prevp = &call->next;
    *list = call;
}

static void link_out(struct web_call *call)
{
    *call->prevp = call->next;
    if (call->next != NULL)
        call->next->prevp = call->prevp;
}

static void forget_cancel(struct web_client *client, const struct web_call *call)
{
    struct web_call **at = &client->cancelled;

    bw_mutex_lock(&client->mutex);
    if (call->cancelled) {
        while (*at != NULL && *at != call)
            at = &(*at)->next_cancelled;
        if (*at != NULL)
            *at = call->next_cancelled;
    }
    bw_mutex_unlock(&client->mutex);
}

static void answer(struct web_client *client, struct web_call *call,
                   enum web_outcome outcome, int status, const char *error)
{
    struct web_answer result = { .outcome = outcome, .status = status, .error = error };

    result.body = call->answer.len > 0 ? bw_buf_text(&call->answer) : "";
    result.len = call->answer.len;
    call->done(&result, call->arg);
    forget_cancel(client, call); /* it may have been asked for until now */
    if (call->easy != NULL)
        wk_curl_give(client->curl, call->easy);
    call_free(call);
}

/* --- what curl asks */

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
    struct web_call *call = arg;
    size_t len = size * count; /* curl: never more than some kilobytes */

    if (len > call->max_body - call->answer.len) {
        call->too_long = true;
        return 0;
    }
    return bw_buf_add(&call->answer, data, len) == BW_OK ? len : 0;
}

static bool any_address(const struct web_call *call)
{
    return call->any_address || call->chosen;
}

/* A connection is to be opened: to the very address that will be used. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct web_call *call = arg;

    (void)purpose;
    if (!any_address(call) && !web_policy_address_ok(&to->addr)) {
        call->unsafe = true;
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
    struct web_call *call = arg;

    (void)local;
    (void)remote_port;
    (void)local_port;
    if (any_address(call) || text_ok(remote))
        return CURL_PREREQFUNC_OK;
    call->unsafe = true;
    return CURL_PREREQFUNC_ABORT;
}

/* --- the thread */

static bool set_body(struct web_call *call)
{
    if (call->body == NULL)
        return curl_easy_setopt(call->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    return curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)call->body_len) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->body) == CURLE_OK;
}

static bool set_options(struct web_call *call)
{
    CURL *easy = call->easy;
    CURLcode code = CURLE_OK;
    int64_t left = bw_mono_ms_until(bw_mono_now(NULL), call->until);

#define SET(option, value)                                                               \
    if (code == CURLE_OK)                                                                \
    code = curl_easy_setopt(easy, (option), (value))
    SET(CURLOPT_PRIVATE, call);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_URL, call->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* redirect() judges first */
    SET(CURLOPT_PROXY, "");          /* whoever resolves the name must be us */
    SET(CURLOPT_USERAGENT, "bulwark");
    SET(CURLOPT_ACCEPT_ENCODING, ""); /* the limit counts what is unpacked */
    SET(CURLOPT_HTTPHEADER, call->headers);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)(left > 0 ? left : 1));
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, call);
    SET(CURLOPT_PREREQFUNCTION, on_request);
    SET(CURLOPT_PREREQDATA, call);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, call);
    SET(CURLOPT_ERRORBUFFER, call->error);
    if (code != CURLE_OK || !set_body(call))
        return false;
    if (strcmp(call->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else {
        SET(CURLOPT_CUSTOMREQUEST, call->method);
    }
#undef SET
    return code == CURLE_OK;
}

static void start(struct web_client *client, struct web_call *call)
{
    call->easy = wk_curl_take(client->curl);
    if (call->easy == NULL || !set_options(call) ||
        !wk_curl_begin(client->curl, call->easy)) {
        answer(client, call, WEB_FAILED, 0, "out of memory");
        return;
    }
    link_in(&client->flying, call);
}

/* --- redirects */

static bool is_redirect(long status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* What follows goes to `url`, which is taken. False: no memory. */
static bool turn_to(struct web_call *call, char *url, long status)
{
    const char *method = web_redirect_method(call->method, status);
    bool same = web_redirect_same_place(call->url, url);
    bool keeps_body = strcmp(method, call->method) == 0;

    call->chosen = call->chosen && same;
    call->headers = web_redirect_headers(call->headers, !same, keeps_body);
    free(call->url);
    call->url = same ? url : web_redirect_bare(url);
    if (!same)
        free(url);
    if (!keeps_body) {
        strcpy(call->method, method);
        free(call->body);
        call->body = NULL;
        call->body_len = 0;
    }
    bw_buf_clear(&call->answer);
    return call->url != NULL;
}

/* True: the call goes on, or was answered. */
static bool redirect(struct web_client *client, struct web_call *call, long status)
{
    struct bw_error err = { 0 };
    char *location = NULL, *url = NULL;
    bool elsewhere;
    int rc;

    if (curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &location) != CURLE_OK ||
        location == NULL)
        return false;
    if (++call->redirects > REDIRECTS_MAX) {
        bw_buf_clear(&call->answer);
        answer(client, call, WEB_FAILED, 0, "more than 5 redirects");
        return true;
    }
    elsewhere = !web_redirect_same_place(call->url, location);
    rc = web_policy_url(location, call->chosen && !elsewhere ? NULL : call->domains,
                        call->any_address || (call->chosen && !elsewhere), &url, &err);
    if (rc == BW_EINVAL) {
        bw_buf_clear(&call->answer);
        answer(client, call, WEB_UNSAFE, 0, err.text);
    } else if (rc != BW_OK || !turn_to(call, url, status)) {
        answer(client, call, WEB_FAILED, 0, "out of memory");
    } else {
        curl_easy_reset(call->easy);
        if (set_options(call) && wk_curl_begin(client->curl, call->easy))
            link_in(&client->flying, call);
        else
            answer(client, call, WEB_FAILED, 0, "out of memory");
    }
    return true;
}

static void ended(void *what, CURLcode code, void *arg)
{
    struct web_client *client = arg;
    struct web_call *call = what;
    long status = 0;

    link_out(call);
    if (code == CURLE_OK && !call->unsafe && !call->too_long &&
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
        is_redirect(status) && redirect(client, call, status))
        return;
    if (call->unsafe) {
        answer(client, call, WEB_UNSAFE, 0, "its address is not public");
    } else if (call->too_long) {
        bw_buf_clear(&call->answer);
        answer(client, call, WEB_FAILED, 0, "the answer is too long");
    } else if (code == CURLE_UNSUPPORTED_PROTOCOL) {
        answer(client, call, WEB_UNSAFE, 0, "only http and https are allowed");
    } else if (code == CURLE_OK && curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE,
                                                     &status) == CURLE_OK) {
        answer(client, call, WEB_ANSWERED, (int)status, "");
    } else {
        answer(client, call, WEB_FAILED, 0,
               call->error[0] != '\0' ? call->error : curl_easy_strerror(code));
    }
}

/* Of a call that is in no list any more. */
static void give_up(struct web_client *client, struct web_call *call, const char *why)
{
    if (call->easy != NULL)
        wk_curl_abort(client->curl, call->easy);
    answer(client, call, WEB_FAILED, 0, why);
}

/* NULL: no more. */
static struct web_call *take_cancelled(struct web_client *client)
{
    struct web_call *call;

    bw_mutex_lock(&client->mutex);
    call = client->cancelled;
    if (call != NULL) {
        client->cancelled = call->next_cancelled;
        call->cancelled = false;
        link_out(call); /* maybe of `waiting`: so the lock is needed */
    }
    bw_mutex_unlock(&client->mutex);
    return call;
}

/* Starts what was submitted, gives up what was cancelled; false: the end. */
static bool take_in(struct web_client *client)
{
    struct web_call *list, *next;
    bool ending;

    bw_mutex_lock(&client->mutex);
    list = client->waiting;
    client->waiting = NULL;
    ending = client->ending;
    bw_mutex_unlock(&client->mutex);
    for (; list != NULL; list = next) {
        next = list->next;
        if (ending)
            answer(client, list, WEB_FAILED, 0, "the worker ends");
        else
            start(client, list);
    }
    while ((list = take_cancelled(client)) != NULL)
        give_up(client, list, "cancelled");
    return !ending;
}

static bool client_turn(void *arg, struct bw_mono *until)
{
    struct web_client *client = arg;

    (void)until; /* curl keeps the time of each request */
    if (take_in(client))
        return true;
    while (client->flying != NULL) {
        struct web_call *call = client->flying;

        link_out(call);
        give_up(client, call, "the worker ends");
    }
    return false;
}

/* --- for any thread */

int web_client_submit(struct web_client *client, const struct web_request *from,
                      web_done *done, void *arg, struct web_call **callp)
{
    struct web_call *call = call_new(from);

    if (call == NULL)
        return BW_ENOMEM;
    call->done = done;
    call->arg = arg;
    if (callp != NULL)
        *callp = call;
    bw_mutex_lock(&client->mutex);
    link_in(&client->waiting, call);
    bw_mutex_unlock(&client->mutex);
    wk_curl_wake(client->curl);
    return BW_OK;
}

void web_client_cancel(struct web_client *client, struct web_call *call)
{
    bw_mutex_lock(&client->mutex);
    if (!call->cancelled) {
        call->cancelled = true;
        call->next_cancelled = client->cancelled;
        client->cancelled = call;
    }
    bw_mutex_unlock(&client->mutex);
    wk_curl_wake(client->curl);
}

int web_client_create(struct web_client **clientp, struct bw_error *err)
{
    struct web_client *client = calloc(1, sizeof *client);
    int rc;

    *clientp = NULL;
    if (client == NULL)
        return bw_error_set(err, BW_ENOMEM, "web: out of memory");
    bw_mutex_init(&client->mutex);
    rc = wk_curl_create(&client->curl,
                        &(struct wk_curl_user){ .name = "web",
                                                .connections = FLYING_MAX,
                                                .turn = client_turn,
                                                .ended = ended,
                                                .arg = client },
                        err);
    if (rc == BW_OK)
        rc = wk_curl_start(client->curl, err);
    if (rc == BW_OK)
        *clientp = client;
    else
        web_client_destroy(&client);
    return rc;
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
    wk_curl_destroy(&client->curl); /* waits for the thread */
    bw_mutex_fini(&client->mutex);
    free(client);
}
