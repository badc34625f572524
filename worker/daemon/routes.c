#include "daemon/routes.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/app.h"
#include "daemon/cancel_request.h"
#include "http/host.h"
#include "daemon/status.h"

#define SEGMENTS_MAX  6
#define CANCEL_REASON "by an operator"

/* ---- paths */

struct path {
    char *text; /* owned; the segments point into it */
    char *segments[SEGMENTS_MAX];
    size_t count;
};

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. False for a broken escape and for a NUL. */
static bool unescape(char *text)
{
    char *out = text;

    while (*text != '\0') {
        if (*text == '%') {
            int high = hex(text[1]);
            int low = high < 0 ? -1 : hex(text[2]);

            if (low < 0 || (high == 0 && low == 0))
                return false;
            *out++ = (char)(high * 16 + low);
            text += 3;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
    return true;
}

/* False: not a path, too deep, or out of memory. Ended by free(path->text). */
static bool path_split(struct path *path, const char *text)
{
    char *rest;

    *path = (struct path){ 0 };
    if (*text != '/')
        return false;
    path->text = strdup(text + 1);
    rest = path->text;
    while (rest != NULL && path->count < SEGMENTS_MAX) {
        char *segment = strsep(&rest, "/");

        if (!unescape(segment))
            return false;
        path->segments[path->count++] = segment;
    }
    return path->text != NULL && rest == NULL;
}

/* ---- answers */

/* Takes `body`. */
static void answer_json(struct http_response *response, unsigned status, json_t *body)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;

    json_decref(body);
    if (text == NULL || bw_buf_add_str(&response->body, text) != BW_OK ||
        bw_buf_add_char(&response->body, '\n') != BW_OK)
        status = 500;
    free(text);
    response->status = status;
}

static void answer_error(struct http_response *response, unsigned status,
                         const char *error)
{
    answer_json(response, status, json_pack("{s:s}", "error", error));
}

/* `unknown` says what BW_EINVAL means here. */
static void answer_done(struct http_response *response, int rc, const char *unknown)
{
    if (rc == BW_OK)
        answer_json(response, 200, json_pack("{s:b}", "ok", 1));
    else if (rc == BW_EINVAL)
        answer_error(response, 404, unknown);
    else
        answer_error(response, 503, "the worker did not answer");
}

/* ---- the routes */

static void get_health(struct wk_app *app, const struct path *path,
                       struct http_response *response)
{
    bool ok = false;
    json_t *body = wk_status_health(app, &ok);

    (void)path;
    answer_json(response, ok ? 200 : 503, body);
}

static void get_ready(struct wk_app *app, const struct path *path,
                      struct http_response *response)
{
    bool ok = false;
    json_t *body = wk_status_ready(app, &ok);

    (void)path;
    answer_json(response, ok ? 200 : 503, body);
}

static void get_status(struct wk_app *app, const struct path *path,
                       struct http_response *response)
{
    (void)path;
    answer_json(response, 200, wk_status_json(app));
}

static void get_metrics(struct wk_app *app, const struct path *path,
                        struct http_response *response)
{
    (void)path;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    response->status = wk_status_metrics(app, &response->body) == BW_OK ? 200 : 500;
}

static void post_pause(struct wk_app *app, const struct path *path,
                       struct http_response *response)
{
    answer_done(response, bw_worker_quiet(app->worker, path->segments[1]),
                "no such queue on this worker");
}

static void post_resume(struct wk_app *app, const struct path *path,
                        struct http_response *response)
{
    answer_done(response, bw_worker_resume(app->worker, path->segments[1]),
                "no such queue on this worker");
}

static const struct wk_queue_config *find_queue(const struct wk_app *app,
                                                const char *name)
{
    for (size_t i = 0; i < app->config->queues.count; i++) {
        if (strcmp(app->config->queues.items[i].name, name) == 0)
            return &app->config->queues.items[i];
    }
    return NULL;
}

/* The job may be another replica's. */
static void cancel_elsewhere(struct wk_app *app, const struct wk_queue_config *queue,
                             const char *id, struct http_response *response)
{
    if (queue == NULL)
        answer_error(response, 404, "no such queue on this worker");
    else if (!queue->options.remote_cancel)
        answer_error(response, 404,
                     "the job is not in flight on this worker, and the queue has no "
                     "remoteCancel to ask the others");
    else if (wk_cancel_request(app->requests, app->config->prefix, queue->name, id,
                               CANCEL_REASON) == BW_OK)
        answer_json(response, 202, json_pack("{s:b}", "asked", 1));
    else
        answer_error(response, 503, "the other workers could not be asked");
}

static void post_cancel(struct wk_app *app, const struct path *path,
                        struct http_response *response)
{
    const char *id = path->segments[3];
    int rc = bw_worker_cancel_job(app->worker, path->segments[1], id, CANCEL_REASON);

    if (rc == BW_EINVAL)
        cancel_elsewhere(app, find_queue(app, path->segments[1]), id, response);
    else
        answer_done(response, rc, "");
}

static const struct route {
    const char *method;                /* GET answers HEAD, too */
    const char *pattern[SEGMENTS_MAX]; /* "*": anything but nothing */
    void (*run)(struct wk_app *app, const struct path *path,
                struct http_response *response);
    bool open; /* to anybody: probes and scrapers */
} routes[] = {
    { "GET", { "healthz" }, get_health, true },
    { "GET", { "readyz" }, get_ready, true },
    { "GET", { "metrics" }, get_metrics, true },
    { "GET", { "status" }, get_status, false },
    { "POST", { "queues", "*", "pause" }, post_pause, false },
    { "POST", { "queues", "*", "resume" }, post_resume, false },
    { "POST", { "queues", "*", "jobs", "*", "cancel" }, post_cancel, false },
};

static bool fits(const struct route *route, const struct path *path)
{
    size_t i;

    for (i = 0; i < path->count; i++) {
        const char *pattern = route->pattern[i];

        if (pattern == NULL || *path->segments[i] == '\0')
            return false;
        if (strcmp(pattern, "*") != 0 && strcmp(pattern, path->segments[i]) != 0)
            return false;
    }
    return i == SEGMENTS_MAX || route->pattern[i] == NULL;
}

static const struct route *find_route(const struct path *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (fits(&routes[i], path))
            return &routes[i];
    }
    return NULL;
}

/* ---- who may */

/* In a time that does not tell how much of it was right. */
static bool token_is(const char *given, const char *token)
{
    size_t given_len = strlen(given);
    size_t len = strlen(token);
    volatile unsigned char differs = given_len != len;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)(given_len > 0 ? given[i % given_len] : 0);

        differs = (unsigned char)(differs | (c ^ (unsigned char)token[i]));
    }
    return differs == 0;
}

/* A page whose own name was made to point here (DNS rebinding) names itself. A program
 * that names nobody is no browser. */
static bool is_for_us(const struct wk_app *app, const char *host)
{
    const json_t *hosts = app->config->http.hosts;
    const json_t *known;
    size_t i;

    if (host == NULL)
        return true;
    if (hosts == NULL)
        return http_host_is_loopback(host);
    json_array_foreach((json_t *)hosts, i, known)
    {
        if (http_host_is(host, json_string_value(known)))
            return true;
    }
    return false;
}

struct refusal {
    unsigned status; /* 0: none */
    const char *error;
};

/* On loopback anybody on the machine may look and steer, but not a web page in a browser
 * there. */
static struct refusal refuse(const struct wk_app *app, const struct http_request *request)
{
    const struct refusal none = { 0, NULL };
    const struct refusal token_wanted = { 401, "a valid bearer token is needed" };
    const char *token = app->config->http.token;

    if (token != NULL && request->bearer != NULL)
        return token_is(request->bearer, token) ? none : token_wanted;
    if (!request->local && token != NULL)
        return token_wanted;
    if (!request->local)
        return (struct refusal){ 403,
                                 "set http.token to allow this from other machines" };
    if (request->origin != NULL)
        return (struct refusal){ 403, "not from a web page" };
    if (!is_for_us(app, request->host))
        return (struct refusal){ 403, "the Host header is none of http.hosts" };
    return none;
}

static bool is_get(const struct http_request *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static void run_route(struct wk_app *app, const struct route *route,
                      const struct path *path, const struct http_request *request,
                      struct http_response *response)
{
    bool get = strcmp(route->method, "GET") == 0;
    struct refusal refusal = { 0, NULL };

    if (!route->open)
        refusal = refuse(app, request);
    if (get ? !is_get(request) : strcmp(request->method, route->method) != 0) {
        response->allow = get ? "GET, HEAD" : route->method;
        answer_error(response, 405, "method not allowed");
    } else if (refusal.status != 0) {
        answer_error(response, refusal.status, refusal.error);
    } else {
        route->run(app, path, response);
    }
}

void wk_routes_answer(const struct http_request *request, struct http_response *response,
                      void *arg)
{
    struct wk_app *app = arg;
    const struct route *route;
    struct path path;

    if (!path_split(&path, request->path)) {
        answer_error(response, 400, "the path cannot be understood");
    } else {
        route = find_route(&path);
        if (route == NULL)
            answer_error(response, 404, "no such page");
        else
            run_route(app, route, &path, request, response);
    }
    free(path.text);
}
