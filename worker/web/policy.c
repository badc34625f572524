#include "web/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

/* --- addresses */

struct range {
    uint8_t prefix[16];
    unsigned bits;
};

static const struct range closed4[] = {
    { { 0 }, 8 },             /* this network */
    { { 10 }, 8 },            /* private */
    { { 100, 64 }, 10 },      /* shared by carriers */
    { { 127 }, 8 },           /* loopback */
    { { 169, 254 }, 16 },     /* link-local */
    { { 172, 16 }, 12 },      /* private */
    { { 192, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2 }, 24 },    /* documentation */
    { { 192, 88, 99 }, 24 },  /* relays of 6to4 */
    { { 192, 168 }, 16 },     /* private */
    { { 198, 18 }, 15 },      /* benchmarks */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 4 },           /* multicast */
    { { 240 }, 4 },           /* reserved, broadcast */
};

static const struct range closed6[] = {
    { { 0 }, 96 },          /* unspecified, loopback, old forms of IPv4 */
    { { 0x01, 0x00 }, 64 }, /* discard */
    { { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48 }, /* translation for local use */
    { { 0x20, 0x01, 0x00, 0x00 }, 23 },       /* Teredo, benchmarks, ORCHID … */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },       /* documentation */
    { { 0x3f, 0xff }, 20 },                   /* documentation */
    { { 0x5f, 0x00 }, 16 },                   /* segment routing */
    { { 0xfc }, 7 },                          /* unique local */
    { { 0xfe, 0x80 }, 10 },                   /* link-local */
    { { 0xfe, 0xc0 }, 10 },                   /* site-local */
    { { 0xff }, 8 },                          /* multicast */
};

/* IPv6 ranges whose addresses carry one of IPv4, at this byte. */
static const struct {
    struct range range;
    unsigned at;
} carriers[] = {
    { { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 }, 12 }, /* mapped */
    { { { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 }, 12 },       /* SIIT */
    { { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },                   /* NAT64 */
    { { { 0x20, 0x02 }, 16 }, 2 },                                /* 6to4 */
};

static bool within(const uint8_t *address, const struct range *range)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    uint8_t mask = (uint8_t)(0xff00U >> rest);

    return memcmp(address, range->prefix, whole) == 0 &&
           (rest == 0 || (address[whole] & mask) == (range->prefix[whole] & mask));
}

static bool ok4(const uint8_t *address)
{
    for (size_t i = 0; i < sizeof(closed4) / sizeof(closed4[0]); i++) {
        if (within(address, &closed4[i]))
            return false;
    }
    return true;
}

/* `…:[02]00:5efe:a.b.c.d` under any network: the tunnel's end is that address. */
static bool is_isatap(const uint8_t *address)
{
    static const uint8_t mark[] = { 0x00, 0x5e, 0xfe };

    return (address[8] & 0xfd) == 0 && memcmp(address + 9, mark, sizeof(mark)) == 0;
}

static bool ok6(const uint8_t *address)
{
    for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
        if (within(address, &carriers[i].range))
            return ok4(address + carriers[i].at);
    }
    for (size_t i = 0; i < sizeof(closed6) / sizeof(closed6[0]); i++) {
        if (within(address, &closed6[i]))
            return false;
    }
    return !is_isatap(address) || ok4(address + 12);
}

bool web_policy_address_ok(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof(in));
        return ok4((const uint8_t *)&in.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof(in6));
        return ok6(in6.sin6_addr.s6_addr);
    }
    return false;
}

/* --- URLs */

static bool under_domain(const char *host, const char *domain, size_t len)
{
    size_t host_len = strlen(host);

    if (len == 0 || len > host_len ||
        strncasecmp(host + host_len - len, domain, len) != 0)
        return false;
    return len == host_len || host[host_len - len - 1] == '.';
}

static bool listed(const char *host, const char *domains)
{
    for (const char *at = domains; *at != '\0';) {
        size_t len = strcspn(at, ",");
        size_t skip = strspn(at, " .");
        size_t used = len;

        while (used > skip && at[used - 1] == ' ')
            used--;
        if (skip < used && under_domain(host, at + skip, used - skip))
            return true;
        at += len + (at[len] == ',');
    }
    return false;
}

/* The host of the URL itself; a name is judged when it is resolved. */
static bool literal_ok(const char *host)
{
    char bare[INET6_ADDRSTRLEN];
    struct in_addr in;
    struct in6_addr in6;
    size_t len = strlen(host);

    if (inet_pton(AF_INET, host, &in) == 1)
        return ok4((const uint8_t *)&in);
    if (len < 3 || host[0] != '[' || len - 2 >= sizeof(bare))
        return strcasecmp(host, "localhost") != 0;
    memcpy(bare, host + 1, len - 2);
    bare[len - 2] = '\0';
    return inet_pton(AF_INET6, bare, &in6) != 1 || ok6(in6.s6_addr);
}

static int judge(CURLU *parts, const char *domains, bool any_address,
                 struct bw_error *err)
{
    char *scheme = NULL, *host = NULL;
    int rc = BW_OK;

    if (curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK || *host == '\0')
        rc = bw_error_set(err, BW_EINVAL, "it has no host");
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        rc = bw_error_set(err, BW_EINVAL, "only http and https are allowed");
    else if (domains != NULL && *domains != '\0' && !listed(host, domains))
        rc = bw_error_set(err, BW_EINVAL, "its domain is not on the list");
    else if (!any_address && !literal_ok(host))
        rc = bw_error_set(err, BW_EINVAL, "its address is not public");
    curl_free(scheme);
    curl_free(host);
    return rc;
}

int web_policy_url(const char *url, const char *domains, bool any_address, char **urlp,
                   struct bw_error *err)
{
    CURLU *parts;
    char *whole = NULL;
    CURLUcode code;
    int rc;

    if (strlen(url) > WEB_URL_MAX)
        return bw_error_set(err, BW_EINVAL, "it is longer than %d bytes", WEB_URL_MAX);
    parts = curl_url();
    if (parts == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    code = curl_url_set(parts, CURLUPART_URL, url,
                        CURLU_NON_SUPPORT_SCHEME |
                            (strstr(url, "://") == NULL ? CURLU_DEFAULT_SCHEME : 0));
    if (code == CURLUE_OK && strstr(url, "://") == NULL)
        code = curl_url_set(parts, CURLUPART_SCHEME, "http", 0);
    rc = code == CURLUE_OK ? judge(parts, domains, any_address, err)
                           : bw_error_set(err, BW_EINVAL, "%s", curl_url_strerror(code));
    if (rc == BW_OK && curl_url_get(parts, CURLUPART_URL, &whole, 0) != CURLUE_OK)
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    curl_url_cleanup(parts);
    if (rc == BW_OK) {
        *urlp = strdup(whole);
        if (*urlp == NULL)
            rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    }
    curl_free(whole);
    return rc;
}
