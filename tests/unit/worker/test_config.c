/* worker/config/load.c, settle.c, config.c, config_schema.c, override.c and
 * worker/base/schema.c: file, environment, flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/load.h"
#include "config/config_schema.h"

struct pair {
    const char *name, *value;
};

static const char *pair_get(void *arg, const char *name)
{
    const struct pair *pairs = arg;

    for (; pairs->name != NULL; pairs++) {
        if (strcmp(pairs->name, name) == 0)
            return pairs->value;
    }
    return NULL;
}

static struct pair none[] = { { NULL, NULL } };
static char file_path[] = "/tmp/bulwark-config-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(file_path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* `text` NULL: without a file. */
static int load(struct wk_config *config, const char *text, struct pair *env,
                struct pair *flags, struct bw_error *err)
{
    struct pair with_file[8] = { { "config", file_path } };
    struct wk_config_sources sources = { { pair_get, env }, { pair_get, flags }, false };

    if (text != NULL) {
        write_file(text);
        for (size_t i = 0; flags[i].name != NULL; i++)
            with_file[i + 1] = flags[i];
        sources.flags.arg = with_file;
    }
    return wk_config_load(config, &sources, err);
}

static void assert_loads(struct wk_config *config, const char *text, struct pair *env,
                         struct pair *flags)
{
    struct bw_error err = { 0 };

    if (load(config, text, env, flags, &err) != BW_OK)
        fail_msg("not loaded: %s", err.text);
}

#define NOOP_QUEUES "\"queues\":[{\"name\":\"q\",\"handler\":\"noop\""
#define NOOP        "{" NOOP_QUEUES

/* ---- good files */

static void test_defaults_are_the_librarys(void **state)
{
    struct bw_queue_options expected;
    struct wk_config config;
    const struct bw_queue_options *got;

    (void)state;
    bw_queue_options_init(&expected);
    assert_loads(&config, NOOP "}]}", none, none);
    got = &config.queues.items[0].options;
    assert_int_equal(config.queues.count, 1);
    assert_string_equal(got->name, "q");
    assert_string_equal(got->prefix, "bull");
    assert_null(got->worker_name);
    assert_int_equal(got->concurrency, expected.concurrency);
    assert_int_equal(got->lock_duration, expected.lock_duration);
    assert_int_equal(got->stalled_interval, expected.stalled_interval);
    assert_int_equal(got->max_stalled_count, expected.max_stalled_count);
    assert_int_equal(got->max_started_attempts, expected.max_started_attempts);
    assert_int_equal(got->timeout, 0);
    assert_false(got->remote_cancel);
    assert_int_equal(got->deaf_timeout, 0);
    assert_null(got->group_key);
    assert_int_equal(got->group_concurrency, expected.group_concurrency);
    assert_int_equal(got->pause_layout, expected.pause_layout);
    assert_int_equal(got->group_rate_max, 0);
    assert_false(got->group_strict);
    assert_int_equal(got->drain_delay, expected.drain_delay);
    assert_int_equal(got->limiter_max, expected.limiter_max);
    assert_int_equal(got->maximum_rate_limit_delay, expected.maximum_rate_limit_delay);
    assert_int_equal(got->run_retry_delay, expected.run_retry_delay);
    assert_false(got->remove_on_complete.set);
    assert_false(got->remove_on_fail.set);
    assert_int_equal(got->metrics_max_data_points, expected.metrics_max_data_points);
    assert_int_equal(got->skip_lock_renewal, expected.skip_lock_renewal);
    assert_int_equal(got->skip_stalled_check, expected.skip_stalled_check);
    assert_int_equal(got->skip_listing, expected.skip_listing);
    assert_int_equal(got->strict, expected.strict);
    assert_string_equal(config.queue_redis.host, "127.0.0.1");
    assert_int_equal(config.queue_redis.port, 6379);
    assert_int_equal(config.shutdown_timeout, 25000);
    assert_int_equal(config.log.level, BW_LOG_INFO);
    wk_config_fini(&config);
}

/* lib/spec/bullmq.md §11.1 itself, so that a slip in the library does not hide one here.
 */
static void test_defaults_are_bullmqs(void **state)
{
    struct wk_config config;
    const struct bw_queue_options *got;

    (void)state;
    assert_loads(&config, NOOP "}]}", none, none);
    got = &config.queues.items[0].options;
    assert_int_equal(got->concurrency, 1);
    assert_int_equal(got->lock_duration, 30000);
    assert_int_equal(got->lock_renew_time, 15000);
    assert_int_equal(got->stalled_interval, 30000);
    assert_int_equal(got->max_stalled_count, 1);
    assert_true(got->max_started_attempts < 0);
    assert_int_equal(got->drain_delay, 5000);
    assert_int_equal(got->limiter_max, 0);
    assert_int_equal(got->maximum_rate_limit_delay, 30000);
    assert_int_equal(got->run_retry_delay, 15000);
    wk_config_fini(&config);
}

static void test_every_option_arrives(void **state)
{
    static const char text[] =
        "{\"redis\":{\"url\":\"redis://u:p@h.example:7000/3\",\"connectTimeout\":1234},"
        "\"prefix\":\"{b}\",\"http\":{\"listen\":\"127.0.0.1:0\",\"token\":\"t\"},"
        "\"log\":{\"level\":\"debug\",\"format\":\"json\"},\"shutdownTimeout\":7,"
        "\"processors\":9,\"workflow\":{\"run.max_visits\":5},"
        "\"queues\":[{\"name\":\"q\",\"handler\":{\"noop\":{\"delayMs\":5}},"
        "\"concurrency\":7,\"lockDuration\":1000,\"lockRenewTime\":300,"
        "\"stalledInterval\":2e3,\"maxStalledCount\":0,\"maxStartedAttempts\":4,"
        "\"drainDelay\":0.25,\"limiter\":{\"max\":100,\"duration\":1000},"
        "\"maximumRateLimitDelay\":11,\"runRetryDelay\":12,"
        "\"removeOnComplete\":{\"count\":1000},\"removeOnFail\":{\"age\":86400,\"limit\":"
        "5},"
        "\"metrics\":{\"maxDataPoints\":60},\"workerName\":\"w\",\"skipLockRenewal\":"
        "true,"
        "\"skipStalledCheck\":true,\"strict\":true,\"skipListing\":true,"
        "\"timeout\":60000,\"remoteCancel\":true,\"deafTimeout\":9000,"
        "\"groupKey\":[\"p+context.chat.id\",\"user\"],\"groupConcurrency\":3,"
        "\"groupRate\":{\"max\":20,\"duration\":60000},\"groupStrict\":true,"
        "\"pauseLayout\":5}]}";
    struct wk_config config;
    const struct bw_queue_options *got;

    (void)state;
    assert_loads(&config, text, none, none);
    got = &config.queues.items[0].options;
    assert_string_equal(config.queue_redis.host, "h.example");
    assert_string_equal(config.queue_redis.username, "u");
    assert_string_equal(config.queue_redis.password, "p");
    assert_int_equal(config.queue_redis.port, 7000);
    assert_int_equal(config.queue_redis.db, 3);
    assert_int_equal(config.queue_redis.connect_timeout_ms, 1234);
    assert_string_equal(config.http.listen, "127.0.0.1:0");
    assert_string_equal(config.http.token, "t");
    assert_int_equal(config.log.level, BW_LOG_DEBUG);
    assert_int_equal(config.log.format, WK_LOG_JSON);
    assert_int_equal(config.shutdown_timeout, 7);
    assert_int_equal(config.processors, 9);
    assert_int_equal(
        json_integer_value(json_object_get(config.workflow, "run.max_visits")), 5);
    assert_string_equal(got->prefix, "{b}");
    assert_int_equal(got->concurrency, 7);
    assert_int_equal(got->lock_duration, 1000);
    assert_int_equal(got->lock_renew_time, 300);
    assert_int_equal(got->stalled_interval, 2000);
    assert_int_equal(got->max_stalled_count, 0);
    assert_int_equal(got->max_started_attempts, 4);
    assert_int_equal(got->drain_delay, 250);
    assert_int_equal(got->limiter_max, 100);
    assert_int_equal(got->limiter_duration, 1000);
    assert_int_equal(got->maximum_rate_limit_delay, 11);
    assert_int_equal(got->run_retry_delay, 12);
    assert_true(got->remove_on_complete.set);
    assert_int_equal(got->remove_on_complete.count, 1000);
    assert_int_equal(got->remove_on_complete.age, -1);
    assert_int_equal(got->remove_on_fail.age, 86400);
    assert_int_equal(got->remove_on_fail.count, -1);
    assert_int_equal(got->remove_on_fail.limit, 5);
    assert_int_equal(got->metrics_max_data_points, 60);
    assert_string_equal(got->worker_name, "w");
    assert_true(got->skip_lock_renewal);
    assert_int_equal(got->timeout, 60000);
    assert_true(got->remote_cancel);
    assert_int_equal(got->deaf_timeout, 9000);
    assert_string_equal(got->group_key, "p+context.chat.id|user");
    assert_int_equal(got->group_concurrency, 3);
    assert_int_equal(got->pause_layout, 5);
    assert_int_equal(got->group_rate_max, 20);
    assert_int_equal(got->group_rate_duration, 60000);
    assert_true(got->group_strict);
    assert_true(got->skip_stalled_check);
    assert_true(got->strict);
    assert_true(got->skip_listing);
    wk_config_fini(&config);
}

static void test_retention_short_forms(void **state)
{
    static const struct {
        const char *json;
        bool set;
        int64_t count;
    } cases[] = { { "true", true, 0 }, { "false", false, -1 }, { "0", true, 0 },
                  { "25", true, 25 },  { "-1", false, -1 },    { "{}", false, -1 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        struct wk_config config;
        const struct bw_keep *keep;

        (void)snprintf(text, sizeof text, NOOP ",\"removeOnComplete\":%s}]}",
                       cases[i].json);
        assert_loads(&config, text, none, none);
        keep = &config.queues.items[0].options.remove_on_complete;
        assert_int_equal(keep->set, cases[i].set);
        assert_int_equal(keep->count, cases[i].count);
        wk_config_fini(&config);
    }
}

/* ---- bad files: what the operator reads */

static void test_errors(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "{\"queue\":[]}", "queue: unknown key \"queue\", did you mean \"queues\"?" },
        { "{\"Redis\":{}}", "Redis: unknown key \"Redis\", did you mean \"redis\"?" },
        { "{\"xylophone\":1}", "xylophone: unknown key \"xylophone\"" },
        { NOOP ",\"concurency\":2}]}", "queues[0].concurency: unknown key "
                                       "\"concurency\", did you mean \"concurrency\"?" },
        { "{\"queues\":[{\"name\":\"a\",\"handler\":\"noop\"},{\"name\":\"b\","
          "\"handler\":"
          "\"noop\"},{\"name\":\"c\",\"handler\":\"noop\",\"concurrency\":0}]}",
          "queues[2].concurrency: must be from 1 to 1000000" },
        { NOOP ",\"concurrency\":1.5}]}",
          "queues[0].concurrency: must be a whole number" },
        { NOOP ",\"concurrency\":\"2\"}]}",
          "queues[0].concurrency: must be a whole number" },
        { NOOP ",\"concurrency\":1e300}]}",
          "queues[0].concurrency: must be a whole number" },
        { NOOP ",\"maxStalledCount\":-1}]}",
          "queues[0].maxStalledCount: must be from 0 to " },
        { NOOP ",\"stalledInterval\":0}]}",
          "queues[0].stalledInterval: must be from 1 to " },
        { NOOP ",\"drainDelay\":0}]}", "queues[0].drainDelay: must be from 0.001 to " },
        { NOOP ",\"drainDelay\":\"5\"}]}",
          "queues[0].drainDelay: must be a number of seconds" },
        { NOOP ",\"limiter\":{\"max\":3}}]}", "queues[0].limiter.duration: is missing" },
        { NOOP ",\"limiter\":{\"duration\":3}}]}", "queues[0].limiter.max: is missing" },
        { NOOP ",\"groupRate\":{\"max\":3}}]}",
          "queues[0].groupRate.duration: is missing" },
        { NOOP ",\"groupKey\":\"\"}]}", "queues[0].groupKey: must be a path" },
        { NOOP ",\"groupKey\":\"a..b\"}]}", "queues[0].groupKey: must be a path" },
        { NOOP ",\"groupKey\":\"a b\"}]}", "queues[0].groupKey: must be a path" },
        { NOOP ",\"groupKey\":\"a+.b\"}]}", "queues[0].groupKey: must be a path" },
        { NOOP ",\"groupKey\":[]}]}", "queues[0].groupKey: must be a path" },
        { NOOP ",\"groupKey\":[\"a\",7]}]}", "queues[0].groupKey: must be a path" },
        { NOOP ",\"groupConcurrency\":0}]}", "queues[0].groupConcurrency:" },
        { NOOP ",\"pauseLayout\":7}]}", "queues[0].pauseLayout:" },
        { NOOP ",\"limiter\":{\"mx\":3}}]}",
          "queues[0].limiter.mx: unknown key \"mx\", did you mean \"max\"?" },
        { NOOP ",\"limiter\":7}]}", "queues[0].limiter: must be an object" },
        { NOOP ",\"removeOnFail\":\"x\"}]}",
          "queues[0].removeOnFail: must be true, false" },
        { NOOP ",\"removeOnFail\":{\"cout\":1}}]}",
          "queues[0].removeOnFail.cout: unknown key \"cout\", did you mean \"count\"?" },
        { NOOP ",\"skipListing\":1}]}", "queues[0].skipListing: must be true or false" },
        { NOOP "},{\"name\":\"q\",\"handler\":\"noop\"}]}",
          "queues[1].name: \"q\" is queues[0] already" },
        { "{\"queues\":[{\"handler\":\"noop\"}]}", "queues[0].name: is missing" },
        { "{\"queues\":[{\"name\":\"\",\"handler\":\"noop\"}]}",
          "queues[0].name: must not be empty" },
        { "{\"queues\":[{\"name\":\"a:b\",\"handler\":\"noop\"}]}",
          "queues[0].name: must not contain \":\"" },
        { "{\"queues\":[{\"name\":\"q\"}]}", "queues[0].handler: is missing" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":\"nop\"}]}",
          "queues[0].handler: unknown handler \"nop\", did you mean \"noop\"?" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":{\"noop\":{\"delay\":1}}}]}",
          "queues[0].handler.noop.delay: unknown key, did you mean \"delayMs\"?" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":{\"noop\":{\"delayMs\":-1}}}]}",
          "queues[0].handler.noop.delayMs: must be a whole number from 0 to" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":{\"exec\":[\"x\"],\"processes\":0}}]"
          "}",
          "queues[0].handler.processes: must be a whole number from 1 to 1024" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":{\"exec\":[]}}]}",
          "queues[0].handler.exec: must be a program and its arguments" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":\"plugin\"}]}",
          "queues[0].handler: a plugin needs its file: {\"plugin\": " },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":{\"plugin\":\"\"}}]}",
          "queues[0].handler.plugin: must be the path of a shared object" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":{\"plugin\":[\"./x.so\"]}}]}",
          "queues[0].handler.plugin: must be the path of a shared object" },
        { "{\"queues\":[{\"name\":\"q\",\"handler\":{\"plugin\":\"./x.so\","
          "\"conf\":{}}}]}",
          "queues[0].handler.conf: unknown key, known are" },
        { "{\"queues\":[]}", "queues: must be an array of 1 to" },
        { "{\"queues\":{}}", "queues: must be an array of 1 to" },
        { "[]", "configuration: must be an object" },
        { "{\"log\":{\"level\":\"loud\"}}", "log.level: must be \"debug\"" },
        { "{\"log\":{\"format\":\"xml\"}}", "log.format: must be \"json\"" },
        { "{\"workflow\":[]}", "workflow: must be an object" },
        { "{\"workflow\":{\"ratelimit.bott\":1},\"queues\":[{\"name\":\"q\",\"handler\":"
          "\"noop\"}]}",
          "workflow: \"ratelimit.bott\" is not known; did you mean \"ratelimit.bot\"?" },
        { "{\"workflow\":{\"ratelimit.bot\":0},\"queues\":[{\"name\":\"q\",\"handler\":"
          "\"noop\"}]}",
          "workflow.\"ratelimit.bot\": a whole number from 1 to" },
        { NOOP "}],\"http\":{\"listen\":\"9464\"}}", "http.listen: must be HOST:PORT" },
        { NOOP "}],\"http\":{\"listen\":\"localhost:x\"}}",
          "http.listen: must be HOST:PORT" },
        { NOOP ",\"lockDuration\":1000,\"lockRenewTime\":1000}]}",
          "queues[0].lockRenewTime: 1000 is not below lockDuration, 1000" },
        { NOOP ",\"lockRenewTime\":60000}]}", "queues[0].lockRenewTime: 60000 is not" },
        { NOOP ",\"deafTimeout\":3000}]}", "queues[0].deafTimeout: 3000 is not above" },
        { NOOP ",\"deafTimeout\":5000,\"drainDelay\":5}]}",
          "queues[0].deafTimeout: 5000 is not above" },
        { NOOP ",\"stalledInterval\":0}]}", "queues[0].stalledInterval: " },
        { NOOP ",\"concurrency\":0}]}", "queues[0].concurrency: " },
        { NOOP ",\"drainDelay\":-1}]}", "queues[0].drainDelay: " },
        { NOOP ",\"drainDelay\":0}]}", "queues[0].drainDelay: " },
        { NOOP ",\"limiter\":{\"max\":0,\"duration\":1000}}]}",
          "queues[0].limiter.max: " },
        { NOOP ",\"limiter\":{\"max\":-5,\"duration\":1}}]}", "queues[0].limiter.max: " },
        { NOOP ",\"maxStalledCount\":-1}]}", "queues[0].maxStalledCount: " },
        { NOOP ",\"lockDuration\":31536000000}]}", "queues[0].lockDuration: " },
        { NOOP ",\"timeout\":31536000000}]}", "queues[0].timeout: " },
        { NOOP "}],\"shutdownTimeout\":-1}", "shutdownTimeout: " },
        { "{\"database\":{\"url\":\"mysql://h\"},\"queues\":[{\"name\":\"q\",\"handler\":"
          "\"workflow\"}]}",
          "database.url: database URL: scheme" },
        { "{\"database\":{\"url\":\"postgresql://h/d\"},\"telegram\":{\"apiUrl\":\"x\"},"
          "\"queues\":[{\"name\":\"q\",\"handler\":\"workflow\"}]}",
          "telegram" },
        { "{\"redis\":{\"url\":\"\"}}", "redis.url: must not be empty" },
        { "{\"redis\":{\"url\":5}}", "redis.url: must be a string" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bw_error err = { 0 };
        struct wk_config config;

        assert_int_equal(load(&config, cases[i].text, none, none, &err), BW_EINVAL);
        if (strncmp(err.text, cases[i].expected, strlen(cases[i].expected)) != 0)
            fail_msg("%s:\n  said     \"%s\"\n  expected \"%s\"", cases[i].text, err.text,
                     cases[i].expected);
    }
}

static void test_syntax_error_tells_where_and_no_secret(void **state)
{
    struct bw_error err = { 0 };
    struct wk_config config;

    (void)state;
    assert_int_equal(load(&config,
                          "{\n  \"redis\": {\n    \"url\": redis-hunter2-secret\n  }\n}",
                          none, none, &err),
                     BW_EINVAL);
    assert_non_null(strstr(err.text, ": line 3, column "));
    assert_non_null(strstr(err.text, ", byte "));
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(
        load(&config, "{\"prefix\":\"a\",\"prefix\":\"b\"}", none, none, &err),
        BW_EINVAL);
    assert_non_null(strstr(err.text, "duplicate"));
}

static void test_bad_urls_do_not_show_passwords(void **state)
{
    static const char *const urls[] = { "redis://u:hunter2@h:99999/0",
                                        "redis://u:hunter2@[::1", "ftp://u:hunter2@h/0",
                                        "redis://u:hunter2%zz@h/0",
                                        "redis://u:hunter2@h/x" };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct bw_error err = { 0 };
        struct wk_config config;
        char text[256];

        (void)snprintf(text, sizeof text, "{\"redis\":{\"url\":\"%s\"},%s}]}", urls[i],
                       &NOOP[1]);
        if (load(&config, text, none, none, &err) == BW_OK)
            fail_msg("%s was accepted", urls[i]);
        assert_null(strstr(err.text, "hunter2"));
        assert_non_null(strstr(err.text, "redis.url"));
    }
}

static void test_missing_file(void **state)
{
    struct pair flags[] = { { "config", "/nonexistent/bulwark.json" }, { NULL, NULL } };
    struct bw_error err = { 0 };
    struct wk_config config;

    (void)state;
    assert_int_not_equal(load(&config, NULL, none, flags, &err), BW_OK);
    assert_non_null(strstr(err.text, "/nonexistent/bulwark.json: No such file"));
}

/* ---- environment and flags */

static void test_nothing_at_all(void **state)
{
    struct bw_error err = { 0 };
    struct wk_config config;

    (void)state;
    assert_int_equal(load(&config, NULL, none, none, &err), BW_EINVAL);
    assert_non_null(strstr(err.text, "--config"));
    assert_non_null(strstr(err.text, "DATABASE_URL"));
}

static void test_flags_win_over_environment_over_file(void **state)
{
    static const char text[] =
        "{\"log\":{\"level\":\"error\",\"format\":\"json\"},\"http\":{\"listen\":\"a:1\"}"
        ","
        "\"queues\":[{\"name\":\"q\",\"handler\":\"noop\",\"concurrency\":3},"
        "{\"name\":\"r\",\"handler\":\"noop\"}]}";
    struct pair env[] = { { "BULWARK_LOG_LEVEL", "warning" },
                          { "BULWARK_HTTP_LISTEN", "b:2" },
                          { "BULWARK_CONCURRENCY", "5" },
                          { "BULWARK_LOG_FORMAT", "" }, /* empty: not given */
                          { NULL, NULL } };
    struct pair flags[] = { { "http-listen", "c:3" },
                            { "shutdown-timeout", "9" },
                            { NULL, NULL } };
    struct wk_config config;

    (void)state;
    assert_loads(&config, text, env, flags);
    assert_int_equal(config.log.level, BW_LOG_WARNING);
    assert_int_equal(config.log.format, WK_LOG_JSON);
    assert_string_equal(config.http.listen, "c:3");
    assert_int_equal(config.shutdown_timeout, 9);
    assert_int_equal(config.queues.items[0].options.concurrency, 5);
    assert_int_equal(config.queues.items[1].options.concurrency, 5);
    wk_config_fini(&config);
}

static void test_config_by_environment(void **state)
{
    struct pair env[] = { { "BULWARK_CONFIG", file_path }, { NULL, NULL } };
    struct wk_config config;

    (void)state;
    write_file(NOOP "}]}");
    assert_loads(&config, NULL, env, none);
    assert_string_equal(config.queues.items[0].name, "q");
    wk_config_fini(&config);
}

static void test_queues_when_none_is_named(void **state)
{
    struct pair env[] = { { "REDIS_URL", "redis://r" },
                          { "DATABASE_URL", "postgresql://d/x" },
                          { NULL, NULL } };
    struct wk_config config;

    (void)state;
    assert_loads(&config, NULL, env, none);
    assert_int_equal(config.queues.count, 2);
    assert_string_equal(config.queues.items[0].name, "workflow-processing");
    assert_string_equal(config.queues.items[1].name, "workflow-delays");
    wk_config_fini(&config);
}

static void test_bad_environment_is_named(void **state)
{
    static const struct pair cases[] = { { "BULWARK_LOG_LEVEL", "loud" },
                                         { "BULWARK_LOG_FORMAT", "xml" },
                                         { "BULWARK_CONCURRENCY", "0" },
                                         { "BULWARK_CONCURRENCY", "many" },
                                         { "BULWARK_CONCURRENCY",
                                           "99999999999999999999" },
                                         { "REDIS_URL", "http://x" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair env[] = { cases[i], { NULL, NULL } };
        struct bw_error err = { 0 };
        struct wk_config config;

        assert_int_equal(load(&config, NOOP "}]}", env, none, &err), BW_EINVAL);
        assert_ptr_equal(strstr(err.text, cases[i].name), err.text);
    }
}

/* worker/workflow/spec/workflow.md §10.1: the queue's connection, and the caches' in the
 * order of the Node services. */
struct redis_case {
    const char *env[7]; /* REDIS_HOST, _PORT, _USERNAME, _PASSWORD, _DB, _TLS, _URL */
    const char *queue, *cache;
    const char *notes; /* what the notes say of what is not used; "": nothing */
};

static const char *text_or(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

static void expect_redis(const struct bw_redis_options *redis, const char *expected)
{
    char text[256];

    (void)snprintf(text, sizeof text, "%s%s:%s@%s:%u/%d", redis->tls ? "tls " : "",
                   text_or(redis->username, ""), text_or(redis->password, ""),
                   redis->host, (unsigned)redis->port, redis->db);
    assert_string_equal(text, expected);
}

/* worker/workflow/spec/workflow.md §10.1; what a URL does not say, the variables say. */
static void test_which_redis(void **state)
{
    static const char *const names[] = { "REDIS_HOST",     "REDIS_PORT", "REDIS_USERNAME",
                                         "REDIS_PASSWORD", "REDIS_DB",   "REDIS_TLS",
                                         "REDIS_URL" };
    static const struct redis_case cases[] = {
        { { NULL }, ":@filehost:6379/0", ":@filehost:6379/0", "" },
        { { [6] = "redis://url:6000" }, ":@url:6000/0", ":@url:6000/0", "" },
        { { "host" }, ":@host:6379/0", ":@host:6379/0", "" },
        { { "host", "7", [6] = "redis://url" },
          ":@host:7/0",
          ":@url:6379/0",
          "REDIS_URL" },
        { { "host", "7", "me", "pw", [6] = "redis://url" },
          "me:pw@host:7/0",
          ":pw@host:7/0",
          "REDIS_URL" },
        { { "host", [4] = "3", [5] = "true" },
          "tls :@host:6379/3",
          "tls :@host:6379/3",
          "" },
        { { "host", [5] = "0" }, ":@host:6379/0", ":@host:6379/0", "" },
        { { NULL, NULL, "me", "pw", "4", NULL, "redis://url" },
          "me:pw@url:6379/4",
          "me:pw@url:6379/4",
          "" },
        { { NULL, "6379", "me", "pw", "4", "true", "rediss://me:pw@url/4" },
          "tls me:pw@url:6379/4",
          "tls me:pw@url:6379/4",
          "" },
        { { NULL, "7", "me", "pw", "4", "1", "redis://a:b@url/0" },
          "a:b@url:6379/0",
          "a:b@url:6379/0",
          "REDIS_PORT REDIS_USERNAME REDIS_PASSWORD REDIS_DB REDIS_TLS" },
        { { [6] = "redis://url?db=2&password=q&retries=3" },
          ":q@url:6379/2",
          ":q@url:6379/2",
          "retries" },
        { { NULL, NULL, "me", "pw", "4" },
          "me:pw@filehost:6379/4",
          "me:pw@filehost:6379/4",
          "" },
        { { "host", "tcp://10.0.0.1:6379" },
          ":@host:6379/0",
          ":@host:6379/0",
          "REDIS_PORT Kubernetes" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair env[8] = { 0 };
        struct wk_config config;
        char notes[128];
        char *rest = NULL;

        for (size_t k = 0, n = 0; k < 7; k++) {
            if (cases[i].env[k] != NULL)
                env[n++] = (struct pair){ names[k], cases[i].env[k] };
        }
        assert_loads(
            &config,
            "{\"redis\":{\"url\":\"redis://filehost\"},\"queues\":[{\"name\":\"q\","
            "\"handler\":\"noop\"}]}",
            env, none);
        expect_redis(&config.queue_redis, cases[i].queue);
        expect_redis(&config.cache_redis, cases[i].cache);
        if (cases[i].notes[0] == '\0')
            assert_string_equal(bw_buf_text(&config.notes), "");
        (void)snprintf(notes, sizeof notes, "%s", cases[i].notes);
        for (char *word = strtok_r(notes, " ", &rest); word != NULL;
             word = strtok_r(NULL, " ", &rest)) {
            if (strstr(bw_buf_text(&config.notes), word) == NULL)
                fail_msg("case %zu: no note of %s: %s", i, word,
                         bw_buf_text(&config.notes));
        }
        wk_config_fini(&config);
    }
}

/* Secrets of the file lose the newline that an editor or `echo` leaves. */
static void test_blanks_around_secrets(void **state)
{
    struct wk_config config;

    (void)state;
    assert_loads(&config,
                 "{\"redis\":{\"url\":\" redis://h\\n\"},\"database\":{\"url\":"
                 "\"\\tpostgresql://x \"},\"http\":{\"token\":\"t\\r\\n\"},\"queues\":[{"
                 "\"name\":\"q\",\"handler\":\"noop\"}]}",
                 none, none);
    assert_string_equal(config.queue_redis.host, "h");
    assert_string_equal(config.database.url, "postgresql://x");
    assert_string_equal(config.http.token, "t");
    wk_config_fini(&config);
}

/* What works, but hardly as it was meant. */
static void test_odd_options_are_noted(void **state)
{
    static const struct {
        const char *text, *note;
    } cases[] = {
        { NOOP ",\"maxStartedAttempts\":0}]}", "queues[0].maxStartedAttempts" },
        { NOOP ",\"lockDuration\":500}]}", "queues[0].lockDuration" },
        { NOOP ",\"skipLockRenewal\":true,\"timeout\":60000}]}", "queues[0].timeout" },
        { NOOP ",\"groupStrict\":true}]}", "there is no groupKey" },
        { NOOP ",\"groupKey\":\"a\",\"groupConcurrency\":2}]}",
          "groupConcurrency: more" },
        { "{\"redis\":{\"url\":\"redis://h\",\"caFile\":\"x\"}," NOOP_QUEUES "}]}",
          "redis.caFile" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wk_config config;

        assert_loads(&config, cases[i].text, none, none);
        if (strstr(bw_buf_text(&config.notes), cases[i].note) == NULL)
            fail_msg("%s: %s", cases[i].text, bw_buf_text(&config.notes));
        wk_config_fini(&config);
    }
}

static void test_bad_redis_switches(void **state)
{
    static const struct pair cases[] = { { "REDIS_TLS", "maybe" },
                                         { "REDIS_TLS", "2" },
                                         { "REDIS_DB", "x" },
                                         { "REDIS_DB", "-1" },
                                         { "REDIS_DB", "99999" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair env[] = { cases[i], { NULL, NULL } };
        struct bw_error err = { 0 };
        struct wk_config config;

        assert_int_equal(load(&config, NOOP "}]}", env, none, &err), BW_EINVAL);
        assert_non_null(strstr(err.text, cases[i].name));
    }
}

static void test_bad_redis_port(void **state)
{
    static const char *const ports[] = { "0", "65536", "-1", "6379x", " 1" };

    (void)state;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        struct pair env[] = { { "REDIS_HOST", "h" },
                              { "REDIS_PORT", ports[i] },
                              { NULL, NULL } };
        struct bw_error err = { 0 };
        struct wk_config config;

        assert_int_equal(load(&config, NOOP "}]}", env, none, &err), BW_EINVAL);
        assert_non_null(strstr(err.text, "REDIS_PORT"));
    }
}

/* ---- reloading and helping */

static void test_restart_keys(void **state)
{
    struct bw_buf keys = BW_BUF_INIT;
    struct wk_config a, b;

    (void)state;
    assert_loads(&a, NOOP "}],\"log\":{\"level\":\"info\"},\"prefix\":\"x\"}", none,
                 none);
    assert_loads(&b, NOOP ",\"concurrency\":2}],\"log\":{\"level\":\"debug\"}}", none,
                 none);
    assert_int_equal(wk_config_restart_keys(&a, &a, &keys), BW_OK);
    assert_string_equal(bw_buf_text(&keys), "");
    assert_int_equal(wk_config_restart_keys(&a, &b, &keys), BW_OK);
    assert_string_equal(bw_buf_text(&keys), "prefix, queues");
    bw_buf_fini(&keys);
    wk_config_fini(&a);
    wk_config_fini(&b);
}

static void test_redis_only(void **state)
{
    struct wk_config_sources sources = { { pair_get, none }, { pair_get, none }, true };
    struct bw_error err = { 0 };
    struct wk_config config;

    (void)state;
    assert_int_equal(wk_config_load(&config, &sources, &err), BW_OK);
    assert_int_equal(config.queues.count, 0);
    assert_int_equal(config.queue_redis.port, 6379);
    wk_config_fini(&config);
}

static void test_help_names_every_key(void **state)
{
    struct bw_buf out = BW_BUF_INIT;

    (void)state;
    assert_int_equal(wk_config_help(&out), BW_OK);
    assert_non_null(strstr(bw_buf_text(&out), "redis.url"));
    assert_non_null(strstr(bw_buf_text(&out), "handler.limits.memory"));
    assert_non_null(strstr(bw_buf_text(&out), "handler.noop.delayMs"));
    assert_non_null(strstr(bw_buf_text(&out), "handler.plugin"));
    assert_non_null(strstr(bw_buf_text(&out), "ratelimit.bot"));
    assert_non_null(strstr(bw_buf_text(&out), "[5 seconds; 0.001 to 86400]"));
    assert_non_null(strstr(bw_buf_text(&out), "[25000 ms; 0 to 31536000000] *"));
    for (size_t i = 0; i < wk_queue_schema.count; i++) {
        char key[80];

        (void)snprintf(key, sizeof key, "queues[].%s", wk_queue_schema.fields[i].key);
        if (strstr(bw_buf_text(&out), key) == NULL)
            fail_msg("%s is not in the help", key);
    }
    bw_buf_fini(&out);
}

static int make_file(void **state)
{
    int fd = mkstemp(file_path);

    (void)state;
    return fd >= 0 ? close(fd) : -1;
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(file_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_librarys),
        cmocka_unit_test(test_defaults_are_bullmqs),
        cmocka_unit_test(test_every_option_arrives),
        cmocka_unit_test(test_retention_short_forms),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_syntax_error_tells_where_and_no_secret),
        cmocka_unit_test(test_bad_urls_do_not_show_passwords),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_flags_win_over_environment_over_file),
        cmocka_unit_test(test_config_by_environment),
        cmocka_unit_test(test_queues_when_none_is_named),
        cmocka_unit_test(test_bad_environment_is_named),
        cmocka_unit_test(test_which_redis),
        cmocka_unit_test(test_bad_redis_port),
        cmocka_unit_test(test_blanks_around_secrets),
        cmocka_unit_test(test_bad_redis_switches),
        cmocka_unit_test(test_odd_options_are_noted),
        cmocka_unit_test(test_restart_keys),
        cmocka_unit_test(test_redis_only),
        cmocka_unit_test(test_help_names_every_key),
    };

    return cmocka_run_group_tests(tests, make_file, drop_file);
}
