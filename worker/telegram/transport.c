#include "telegram/transport.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "curl/loop.h"

#define RESPONSE_MAX               (1024 * 1024)
#define CONNECT_TIMEOUT_DEFAULT_MS 5000
#define TIMEOUT_DEFAULT_MS         30000

_Static_assert(sizeof((struct tg_call *)0)->error >= CURL_ERROR_SIZE,
               "room for curl's text");

/* --- what curl asks */

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

static int make_headers(struct tg_transport *transport)
{
    struct curl_slist *more;

    transport->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (transport->headers == NULL)
        return BW_ENOMEM;
    more =
        curl_slist_append(transport->headers, "Expect:"); /* no round trip to ask first */
    if (more == NULL)
        return BW_ENOMEM;
    transport->headers = more;
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
        make_headers(transport) != BW_OK)
        return bw_error_set(err, BW_ENOMEM, "telegram: out of memory");
    return BW_OK;
}

int tg_transport_init(struct tg_transport *transport, struct wk_curl *curl,
                      const struct tg_options *options, struct bw_error *err)
{
    int rc;

    *transport = (struct tg_transport){ .curl = curl };
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
    curl_slist_free_all(transport->headers);
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

int tg_transport_start(struct tg_transport *transport, struct tg_call *call)
{
    CURL *easy;

    if (!is_word(call->token, ":_-") || !is_word(call->method, "_")) {
        tg_call_describe(call, "the bot token is malformed");
        call->status = 404; /* what Telegram says to a token it does not know */
        return BW_EINVAL;
    }
    tg_call_describe(call, "out of memory");
    easy = wk_curl_take(transport->curl);
    if (easy == NULL)
        return BW_ENOMEM;
    bw_buf_clear(&call->response);
    call->response_too_long = false;
    call->request_begun = false;
    call->error[0] = '\0';
    call->status = 0;
    if (!set_options(easy, transport, call) || !wk_curl_begin(transport->curl, easy)) {
        wk_curl_give(transport->curl, easy);
        return BW_ENOMEM;
    }
    call->easy = easy;
    call->attempts++;
    return BW_OK;
}

/* --- an attempt ends */

static void release(struct tg_transport *transport, struct tg_call *call)
{
    wk_curl_give(transport->curl, call->easy);
    call->easy = NULL;
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
    wk_curl_abort(transport->curl, call->easy);
    release(transport, call);
    return event;
}

struct tg_attempt tg_transport_ended(struct tg_transport *transport, struct tg_call *call,
                                     int code)
{
    struct tg_attempt attempt = judge(call, (CURLcode)code);

    release(transport, call);
    return attempt;
}
