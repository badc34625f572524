#include "web/redirect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- places */

struct place {
    char *scheme, *host, *port;
};

static bool read_place(struct place *place, const char *url)
{
    CURLU *parts = curl_url();
    bool ok;

    memset(place, 0, sizeof *place);
    ok = parts != NULL &&
         curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
         curl_url_get(parts, CURLUPART_SCHEME, &place->scheme, 0) == CURLUE_OK &&
         curl_url_get(parts, CURLUPART_HOST, &place->host, 0) == CURLUE_OK &&
         curl_url_get(parts, CURLUPART_PORT, &place->port, CURLU_DEFAULT_PORT) ==
             CURLUE_OK;
    curl_url_cleanup(parts);
    return ok;
}

static void free_place(struct place *place)
{
    curl_free(place->scheme);
    curl_free(place->host);
    curl_free(place->port);
}

static bool is_at(const struct place *place, const char *scheme, const char *port)
{
    return strcmp(place->scheme, scheme) == 0 && strcmp(place->port, port) == 0;
}

bool web_redirect_same_place(const char *from, const char *to)
{
    struct place one, other;
    bool both = read_place(&one, from), same = false;

    both = read_place(&other, to) && both;
    if (both && strcasecmp(one.host, other.host) == 0)
        same = is_at(&other, one.scheme, one.port) ||
               (is_at(&one, "http", "80") && is_at(&other, "https", "443"));
    free_place(&one);
    free_place(&other);
    return same;
}

char *web_redirect_bare(const char *url)
{
    CURLU *parts = curl_url();
    char *text = NULL, *copy = NULL;

    if (parts != NULL &&
        curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
        curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK)
        copy = strdup(text);
    curl_free(text);
    curl_url_cleanup(parts);
    return copy;
}

/* --- what goes along */

const char *web_redirect_method(const char *method, long status)
{
    bool post = strcmp(method, "POST") == 0, head = strcmp(method, "HEAD") == 0;

    if ((status == 303 && !head) || ((status == 301 || status == 302) && post))
        return "GET";
    return method;
}

static bool is_one_of(const char *line, const char *const *names)
{
    size_t len = strcspn(line, ":;");

    for (; *names != NULL; names++) {
        if (strlen(*names) == len && strncasecmp(line, *names, len) == 0)
            return true;
    }
    return false;
}

struct curl_slist *web_redirect_headers(struct curl_slist *headers, bool elsewhere,
                                        bool body)
{
    static const char *const of_body[] = { "content-type",     "content-length",
                                           "content-encoding", "content-language",
                                           "content-location", NULL };
    static const char *const plain[] = { "accept",           "accept-language",
                                         "cache-control",    "content-type",
                                         "content-encoding", "content-language",
                                         "user-agent",       NULL };
    struct curl_slist **at = &headers;

    while (*at != NULL) {
        struct curl_slist *item = *at;

        if ((elsewhere && !is_one_of(item->data, plain)) ||
            (!body && is_one_of(item->data, of_body))) {
            *at = item->next;
            item->next = NULL;
            curl_slist_free_all(item);
        } else {
            at = &item->next;
        }
    }
    return headers;
}
