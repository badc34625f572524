/* worker/base/metrics.c: rows as Prometheus text and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/metrics.h"

static void fill(struct wk_metrics *metrics)
{
    metrics->queue = NULL;
    wk_metrics_gauge(metrics, "up", "Is up", NULL, NULL, 1);
    metrics->queue = "a";
    wk_metrics_counter(metrics, "jobs", "Jobs", NULL, NULL, 3);
    wk_metrics_counter(metrics, "hits", "Hits", "cache", "pro\"f\\i\nle", 5);
    metrics->queue = "b";
    wk_metrics_counter(metrics, "jobs", "Jobs", NULL, NULL, UINT64_MAX);
    wk_metrics_gauge(metrics, "load", "Load", NULL, NULL, 0.25);
}

static void test_text(void **state)
{
    struct wk_metrics metrics = { 0 };
    struct bw_buf out = BW_BUF_INIT;

    (void)state;
    fill(&metrics);
    assert_int_equal(wk_metrics_text(&metrics, &out), BW_OK);
    assert_string_equal(bw_buf_text(&out),
                        "# HELP bulwark_up Is up\n"
                        "# TYPE bulwark_up gauge\n"
                        "bulwark_up 1\n"
                        "# HELP bulwark_jobs_total Jobs\n"
                        "# TYPE bulwark_jobs_total counter\n"
                        "bulwark_jobs_total{queue=\"a\"} 3\n"
                        "bulwark_jobs_total{queue=\"b\"} 18446744073709551615\n"
                        "# HELP bulwark_hits_total Hits\n"
                        "# TYPE bulwark_hits_total counter\n"
                        "bulwark_hits_total{queue=\"a\",cache=\"pro\\\"f\\\\i\\nle\"} 5\n"
                        "# HELP bulwark_load Load\n"
                        "# TYPE bulwark_load gauge\n"
                        "bulwark_load{queue=\"b\"} 0.25\n");
    bw_buf_fini(&out);
    wk_metrics_fini(&metrics);
    wk_metrics_fini(&metrics); /* harmless */
}

static void test_json(void **state)
{
    struct wk_metrics metrics = { 0 };
    json_t *object;
    char *text;

    (void)state;
    wk_metrics_counter(&metrics, "jobs", "Jobs", NULL, NULL, 3);
    wk_metrics_counter(&metrics, "hits", "Hits", "cache", "x", 5);
    wk_metrics_counter(&metrics, "hits", "Hits", "cache", "y", 6);
    object = wk_metrics_json(&metrics);
    text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"hits\":{\"x\":5,\"y\":6},\"jobs\":3}");
    free(text);
    json_decref(object);
    wk_metrics_fini(&metrics);
}

static void test_many_rows(void **state)
{
    struct wk_metrics metrics = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        wk_metrics_counter(&metrics, "jobs", "Jobs", NULL, NULL, i);
    assert_int_equal(metrics.count, 1000);
    assert_false(metrics.incomplete);
    assert_int_equal(metrics.rows[999].count, 999);
    wk_metrics_fini(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_many_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
