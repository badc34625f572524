/* Where requests of workflows may go: worker/web/policy.h. WF-147 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "web/policy.h"

static bool address_ok(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return web_policy_address_ok((const struct sockaddr *)(const void *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return web_policy_address_ok((const struct sockaddr *)(const void *)&in6);
}

static void test_closed_addresses(void **state)
{
    static const char *const closed[] = {
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.1",
        "127.0.0.1",
        "127.255.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "::ffff:0:7f00:1",
        "::ffff:0:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b::c0a8:1",
        "64:ff9b:1::7f00:1",
        "2002:a00:1::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", /* Teredo of 127.0.0.1 */
        "2001:2::1",
        "2a00:1450::5efe:7f00:1", /* ISATAP */
        "2a00:1450::200:5efe:10.0.0.1",
        "3fff::1",
        "5f00::1",
        "192.88.99.1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
        if (address_ok(closed[i]))
            fail_msg("%s is let through", closed[i]);
    }
}

static void test_open_addresses(void **state)
{
    static const char *const open[] = {
        "8.8.8.8",          "9.255.255.255",    "11.0.0.1",
        "100.63.255.1",     "100.128.0.1",      "172.15.0.1",
        "172.32.0.1",       "192.167.0.1",      "198.17.0.1",
        "198.20.0.1",       "223.255.0.1",      "2a00:1450::1",
        "2606:4700::11",    "::ffff:8.8.8.8",   "2002:808:808::",
        "64:ff9b::808:808", "::ffff:0:808:808", "2a00:1450::5efe:808:808",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (!address_ok(open[i]))
            fail_msg("%s is refused", open[i]);
    }
}

static void expect_refused(const char *url, const char *domains, const char *reason)
{
    struct bw_error err = { 0 };
    char *whole = NULL;

    if (web_policy_url(url, domains, false, &whole, &err) != BW_EINVAL)
        fail_msg("%s is let through", url);
    assert_null(whole);
    if (strstr(err.text, reason) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", url, err.text, reason);
}

static void expect_url(const char *url, const char *domains, const char *expected)
{
    struct bw_error err = { 0 };
    char *whole = NULL;

    if (web_policy_url(url, domains, false, &whole, &err) != BW_OK)
        fail_msg("%s: %s", url, err.text);
    assert_string_equal(whole, expected);
    free(whole);
}

static void test_urls(void **state)
{
    char big[WEB_URL_MAX + 40] = "http://example.com/";

    (void)state;
    expect_url("https://example.com/a?b=1", NULL, "https://example.com/a?b=1");
    expect_url("example.com/x", NULL, "http://example.com/x");
    expect_url("HTTP://8.8.8.8:81", NULL, "http://8.8.8.8:81/");
    expect_refused("http://127.0.0.1/", NULL, "not public");
    expect_refused("http://[::1]/", NULL, "not public");
    expect_refused("http://localhost:80/", NULL, "not public");
    expect_refused("http://0x7f.1/", NULL, "not public"); /* curl spells it out */
    expect_refused("http://2130706433/", NULL, "not public");
    expect_refused("ftp://example.com/", NULL, "only http");
    expect_refused("file:///etc/passwd", NULL, "");
    expect_refused("javascript:alert(1)", NULL, "");
    expect_refused("", NULL, "");
    memset(big + strlen(big), 'x', WEB_URL_MAX);
    expect_refused(big, NULL, "longer than");
}

static void test_allow_list(void **state)
{
    static const char list[] = "example.com, api.partner.ru,";

    (void)state;
    expect_url("https://example.com", list, "https://example.com/");
    expect_url("https://EU.example.com", list, "https://EU.example.com/");
    expect_url("https://api.partner.ru/v1", list, "https://api.partner.ru/v1");
    expect_refused("https://partner.ru", list, "not on the list");
    expect_refused("https://badexample.com", list, "not on the list");
    expect_refused("https://example.com.evil.org", list, "not on the list");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_addresses),
        cmocka_unit_test(test_open_addresses),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_allow_list),
    };

    return cmocka_run_group_tests_name("web_policy", tests, NULL, NULL);
}
