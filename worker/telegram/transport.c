#include "telegram/transport.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <curl/curl.h>

#include <bulwark/thread.h>

#define RESPONSE_MAX               (1024 * 1024)
#define CONNECT_TIMEOUT_DEFAULT_MS 5000
#define TIMEOUT_DEFAULT_MS         30000
#define EVENTS_MAX                 64

_Static_assert(sizeof((struct tg_call *)0)->error >= CURL_ERROR_SIZE,
               "room for curl's text");

static const struct bw_mono never = { INT64_MAX };

/* A call of curl that can only fail by a mistake of ours. */
static void must(CURLMcode code)
{
    if (code != CURLM_OK)
        bw_thread_check((int)code, "a call of curl's multi interface");
}

/* --- curl's events */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct tg_transport *transport = arg;
    struct epoll_event event = { .data.fd = fd };

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        /* It may be closed already, and with that gone from the set. */
        (void)epoll_ctl(transport->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                   ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
    if (epoll_ctl(transport->epoll, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
                  &event) != 0)
        return -1;
    if (known == NULL)
        must(curl_multi_assign(transport->multi, fd, transport));
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct tg_transport *transport = arg;

    (void)multi;
    transport->timer =
        timeout_ms < 0 ? never : bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    return 0;
}

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
    struct tg_call *call = arg;
    size_t len = size * count; /* curl: never more than some kilobytes */

    if (len > RESPONSE_MAX - call->response.len) {
        call->response_too_long = true;
        return 0;
    }
    return bw_buf_add(&call->response, data, len) == BW_OK ? len : 0;
}

/* A connection is there and the request is about to be sent. Curl would send it once
 * more, silently, where a kept connection is lost before the answer: then it may be done
 * twice, which is for us to decide and to count. */
static int on_request(void *arg, char *remote, char *local, int remote_port,
                      int local_port)
{
    struct tg_call *call = arg;

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (call->request_begun)
        return CURL_PREREQFUNC_ABORT;
    call->request_begun = true;
    return CURL_PREREQFUNC_OK;
}

/* --- life */

static int check_url(const char *url, struct bw_error *err)
{
    if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
        return BW_OK;
    return bw_error_set(err, BW_EINVAL,
                        "telegram.apiUrl: http:// or https:// is expected");
}

/* The text may hold a password: it is not shown. */
static int check_proxy(const char *url, struct bw_error *err)
{
    static const char *const schemes[] = { "http",    "https",  "socks4",
                                           "socks4a", "socks5", "socks5h" };
    char *scheme = NULL, *host = NULL;
    CURLU *parts = curl_url();
    CURLUcode code = CURLUE_OUT_OF_MEMORY;
    bool known = false;

    if (parts != NULL)
        code = curl_url_set(parts, CURLUPART_URL, url,
                            CURLU_NON_SUPPORT_SCHEME |
                                (strstr(url, "://") == NULL ? CURLU_DEFAULT_SCHEME : 0));
    if (code == CURLUE_OK)
        code = curl_url_get(parts, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    for (size_t i = 0; code == CURLUE_OK && i < sizeof(schemes) / sizeof(schemes[0]); i++)
        known = known || strcmp(scheme, schemes[i]) == 0;
    if (code == CURLUE_OK && *host == '\0')
        code = CURLUE_NO_HOST;
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
    if (code != CURLUE_OK)
        return bw_error_set(err, BW_EINVAL, "telegram.proxyUrl: no URL of a proxy: %s",
                            curl_url_strerror(code));
    if (!known)
        return bw_error_set(err, BW_EINVAL,
                            "telegram.proxyUrl: http://, https:// or socks5:// is "
                            "expected");
    return BW_OK;
}

static int open_multi(struct tg_transport *transport)
{
    struct curl_slist *more;

    transport->multi = curl_multi_init();
    transport->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (transport->multi == NULL || transport->headers == NULL)
        return BW_ENOMEM;
    more =
        curl_slist_append(transport->headers, "Expect:"); /* no round trip to ask first */
    if (more == NULL)
        return BW_ENOMEM;
    transport->headers = more;
    must(curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket));
    must(curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport));
    must(curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timer));
    must(curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport));
    must(curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)TG_FLYING_MAX));
    return BW_OK;
}

static int open_events(struct tg_transport *transport, struct bw_error *err)
{
    struct epoll_event event = { .events = EPOLLIN };

    transport->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (transport->epoll < 0)
        return bw_error_errno(err, errno, "telegram: epoll");
    transport->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (transport->wake < 0)
        return bw_error_errno(err, errno, "telegram: eventfd");
    event.data.fd = transport->wake;
    if (epoll_ctl(transport->epoll, EPOLL_CTL_ADD, transport->wake, &event) != 0)
        return bw_error_errno(err, errno, "telegram: epoll");
    return BW_OK;
}

int tg_options_check(const struct tg_options *options, struct bw_error *err)
{
    int rc = options->api_url != NULL ? check_url(options->api_url, err) : BW_OK;

    if (rc == BW_OK && options->proxy_url != NULL && *options->proxy_url != '\0')
        rc = check_proxy(options->proxy_url, err);
    return rc;
}

static int build(struct tg_transport *transport, const struct tg_options *options,
                 struct bw_error *err)
{
    const char *url =
        options->api_url != NULL ? options->api_url : "https://api.telegram.org";
    size_t len = strlen(url);
    int rc = tg_options_check(options, err);

    if (rc != BW_OK)
        return rc;
    while (url[len - 1] == '/')
        len--;
    transport->root = strndup(url, len);
    transport->proxy = strdup(options->proxy_url != NULL ? options->proxy_url : "");
    if (transport->root == NULL || transport->proxy == NULL ||
        open_multi(transport) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "telegram: out of memory");
    return open_events(transport, err);
}

int tg_transport_init(struct tg_transport *transport, const struct tg_options *options,
                      struct bw_error *err)
{
    int rc;

    *transport = (struct tg_transport){ .epoll = -1, .wake = -1, .timer = never };
    transport->connect_timeout_ms = options->connect_timeout_ms > 0
                                        ? options->connect_timeout_ms
                                        : CONNECT_TIMEOUT_DEFAULT_MS;
    transport->timeout_ms =
        options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
    rc = build(transport, options, err);
    if (rc != BW_OK)
        tg_transport_fini(transport);
    return rc;
}

void tg_transport_fini(struct tg_transport *transport)
{
    while (transport->idle_count > 0)
        curl_easy_cleanup(transport->idle[--transport->idle_count]);
    if (transport->multi != NULL)
        must(curl_multi_cleanup(transport->multi));
    curl_slist_free_all(transport->headers);
    if (transport->wake > 0)
        (void)close(transport->wake); /* nothing is buffered in it */
    if (transport->epoll > 0)
        (void)close(transport->epoll); /* nor in this */
    free(transport->root);
    free(transport->proxy);
    memset(transport, 0, sizeof *transport);
}

/* --- an attempt begins */

static bool is_word(const char *text, const char *more)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr(more, *text) == NULL)
            return false;
    return true;
}

static bool set_url(CURL *easy, const struct tg_transport *transport,
                    const struct tg_call *call)
{
    struct bw_buf url = BW_BUF_INIT;
    bool good = bw_buf_addf(&url, "%s/bot%s/%s", transport->root, call->token,
                            call->method) == BW_OK &&
                curl_easy_setopt(easy, CURLOPT_URL, url.data) == CURLE_OK; /* copied */

    if (url.data != NULL)
        explicit_bzero(url.data, url.len);
    bw_buf_fini(&url);
    return good;
}

static bool set_options(CURL *easy, const struct tg_transport *transport,
                        struct tg_call *call)
{
    CURLcode code = CURLE_OK;

#define SET(option, value)                                                               \
    if (code == CURLE_OK)                                                                \
    code = curl_easy_setopt(easy, (option), (value))
    SET(CURLOPT_PRIVATE, call);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Share a connection where HTTP/2 is agreed on in the handshake. Without TLS it would
     * be known after the first answer only, and all would wait for that. */
    SET(CURLOPT_PIPEWAIT, strncmp(transport->root, "https:", 6) == 0 ? 1L : 0L);
    SET(CURLOPT_PREREQFUNCTION, on_request);
    SET(CURLOPT_PREREQDATA, call);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_PROXY, transport->proxy);
    SET(CURLOPT_USERAGENT, "bulwark");
    SET(CURLOPT_HTTPHEADER, transport->headers);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
    SET(CURLOPT_POSTFIELDS, call->body); /* not copied: the call holds it */
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)transport->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)transport->timeout_ms);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, call);
    SET(CURLOPT_ERRORBUFFER, call->error);
#undef SET
    return code == CURLE_OK && set_url(easy, transport, call);
}

static CURL *take_easy(struct tg_transport *transport)
{
    if (transport->idle_count > 0)
        return transport->idle[--transport->idle_count];
    return curl_easy_init();
}

static void give_easy(struct tg_transport *transport, CURL *easy)
{
    curl_easy_reset(easy);
    if (transport->idle_count < TG_FLYING_MAX)
        transport->idle[transport->idle_count++] = easy;
    else
        curl_easy_cleanup(easy);
}

int tg_transport_start(struct tg_transport *transport, struct tg_call *call)
{
    CURL *easy;

    if (!is_word(call->token, ":_-") || !is_word(call->method, "_")) {
        tg_call_describe(call, "the bot token is malformed");
        call->status = 404; /* what Telegram says to a token it does not know */
        return BW_EINVAL;
    }
    tg_call_describe(call, "out of memory");
    easy = take_easy(transport);
    if (easy == NULL)
        return BW_ENOMEM;
    bw_buf_clear(&call->response);
    call->response_too_long = false;
    call->request_begun = false;
    call->error[0] = '\0';
    call->status = 0;
    if (!set_options(easy, transport, call) ||
        curl_multi_add_handle(transport->multi, easy) != CURLM_OK) {
        give_easy(transport, easy);
        return BW_ENOMEM;
    }
    call->easy = easy;
    call->attempts++;
    transport->flying++;
    return BW_OK;
}

/* --- an attempt ends */

static void release(struct tg_transport *transport, struct tg_call *call)
{
    must(curl_multi_remove_handle(transport->multi, call->easy));
    give_easy(transport, call->easy);
    call->easy = NULL;
    transport->flying--;
}

/* Whether the whole request may have reached the server. In doubt it may: what counts is
 * that "surely not sent" is never said of a message that was. */
static bool may_have_left(const struct tg_call *call, CURLcode code)
{
    curl_off_t uploaded = 0;

    if (!call->request_begun)
        return false;
    if (code != CURLE_SEND_ERROR ||
        curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded) != CURLE_OK)
        return true;
    return uploaded >= (curl_off_t)call->body_len;
}

static int64_t retry_after_header_ms(CURL *easy)
{
    curl_off_t seconds = 0;

    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK ||
        seconds < 0 || seconds > 86400)
        return 0;
    return seconds * 1000;
}

/* A whole answer came: Telegram's, or that of something in between. */
static struct tg_attempt judge_answer(struct tg_call *call)
{
    struct tg_attempt attempt = { .event = TG_EVENT_ANSWER };
    long status = 0;

    if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        call->status = (int)status;
    if (tg_answer_parse(&call->answer, bw_buf_text(&call->response),
                        call->response.len)) {
        attempt.status = call->answer.error_code > 0 ? call->answer.error_code : 200;
        attempt.moved = call->answer.migrate_to != 0;
        if (attempt.status == 200 && !tg_call_result_fits(call)) {
            attempt.event = TG_EVENT_UNCLEAR;
            tg_call_describe(call, "the answer holds no message");
        }
    } else if (status >= 300) {
        attempt.status = (int)status;
        call->answer.retry_after_ms = retry_after_header_ms(call->easy);
    } else {
        attempt.event = TG_EVENT_UNCLEAR;
    }
    attempt.retry_after_ms = call->answer.retry_after_ms;
    attempt.markup = attempt.status == 400 && tg_call_has_parse_mode(call) &&
                     tg_retry_is_markup(call->answer.description);
    tg_call_describe(call, call->answer.description);
    return attempt;
}

/* What the head of an answer says whose rest did not come. */
static enum tg_event event_of_head(struct tg_call *call)
{
    long status = 0;

    if (!call->request_begun ||
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        return TG_EVENT_CUT;
    call->status = (int)status;
    if (status >= 200 && status < 300)
        return TG_EVENT_UNCLEAR;
    return status >= 300 && status < 500 ? TG_EVENT_UNSENT : TG_EVENT_CUT;
}

static struct tg_attempt judge(struct tg_call *call, CURLcode code)
{
    struct tg_attempt attempt = { .event = event_of_head(call) };

    if (code == CURLE_OK)
        return judge_answer(call);
    tg_answer_fini(&call->answer);
    if (call->response_too_long) {
        tg_call_describe(call, "the answer is too long");
        return attempt;
    }
    tg_call_describe(call,
                     call->error[0] != '\0' ? call->error : curl_easy_strerror(code));
    if (attempt.event == TG_EVENT_CUT && !may_have_left(call, code))
        attempt.event = TG_EVENT_UNSENT;
    return attempt;
}

enum tg_event tg_transport_abort(struct tg_transport *transport, struct tg_call *call)
{
    enum tg_event event = event_of_head(call);

    if (event == TG_EVENT_CUT && !may_have_left(call, CURLE_OK))
        event = TG_EVENT_UNSENT;
    release(transport, call);
    return event;
}

static void collect(struct tg_transport *transport)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        struct tg_call *call = NULL;
        struct tg_attempt attempt;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) != CURLE_OK)
            continue;
        attempt = judge(call, code);
        release(transport, call);
        transport->ended(call, &attempt, transport->arg);
    }
}

/* --- turning */

static int wait_ms(const struct tg_transport *transport, struct bw_mono until)
{
    struct bw_mono at =
        bw_mono_before(transport->timer, until) ? transport->timer : until;
    int64_t ms;

    if (at.ns == never.ns)
        return -1;
    ms = bw_mono_ms_until(bw_mono_now(NULL), at);
    return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

static void drain_wake(const struct tg_transport *transport)
{
    uint64_t count;

    if (read(transport->wake, &count, sizeof count) < 0 && errno != EAGAIN &&
        errno != EINTR)
        bw_thread_check(errno, "read from an eventfd");
}

static void serve(struct tg_transport *transport, const struct epoll_event *event)
{
    int what = 0;
    int running;

    if (event->data.fd == transport->wake) {
        drain_wake(transport);
        return;
    }
    if ((event->events & EPOLLIN) != 0)
        what |= CURL_CSELECT_IN;
    if ((event->events & EPOLLOUT) != 0)
        what |= CURL_CSELECT_OUT;
    if ((event->events & (EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_ERR;
    must(curl_multi_socket_action(transport->multi, event->data.fd, what, &running));
}

void tg_transport_turn(struct tg_transport *transport, struct bw_mono until)
{
    struct epoll_event events[EVENTS_MAX];
    int count =
        epoll_wait(transport->epoll, events, EVENTS_MAX, wait_ms(transport, until));
    int running;

    if (count < 0 && errno != EINTR)
        bw_thread_check(errno, "epoll_wait");
    for (int i = 0; i < count; i++)
        serve(transport, &events[i]);
    if (!bw_mono_before(bw_mono_now(NULL), transport->timer)) {
        transport->timer = never;
        must(
            curl_multi_socket_action(transport->multi, CURL_SOCKET_TIMEOUT, 0, &running));
    }
    collect(transport);
}

void tg_transport_wake(struct tg_transport *transport)
{
    uint64_t one = 1;

    /* Full means that it is awake already. */
    if (write(transport->wake, &one, sizeof one) < 0 && errno != EAGAIN && errno != EINTR)
        bw_thread_check(errno, "write to an eventfd");
}
