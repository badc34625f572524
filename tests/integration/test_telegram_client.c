/* Answers for worker/telegram/client.c and transport.c, against the Bot API stand-in over
 * real HTTP (worker/workflow/spec/workflow.md §9). The retry schedule itself is held to
 * its rules in unit tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include <bulwark/buf.h>
#include <bulwark/thread.h>

#include "support/bot_api.h"
#include "support/redis_server.h" /* free_port */
#include "telegram/client.h"

#define TOKEN       "77:Secret-Token_1"
#define PATIENCE_MS 60000

struct rig {
    struct bot_api api;
    struct tg_client *client;
    struct bw_mutex mtx; /* guards lines */
    char lines[65536];   /* what was logged */
    struct bw_log_sink sink;
    struct bw_log log;
};

/* One call and the wait for it. */
struct wait {
    struct tg_call *call;
    struct bw_mutex mtx; /* guards times */
    struct bw_cond done;
    unsigned times;
};

static void write_line(void *arg, enum bw_log_level level, const char *message,
                       const struct bw_log_field *fields, size_t count)
{
    struct rig *rig = arg;
    size_t len;

    (void)level;
    bw_mutex_lock(&rig->mtx);
    len = strlen(rig->lines);
    (void)snprintf(rig->lines + len, sizeof rig->lines - len, "%s\n", message); /* cut */
    for (size_t i = 0; i < count; i++) {
        len = strlen(rig->lines);
        (void)snprintf(rig->lines + len, sizeof rig->lines - len, " %s=%s", fields[i].key,
                       fields[i].text != NULL ? fields[i].text : "#"); /* cut */
    }
    bw_mutex_unlock(&rig->mtx);
}

static int64_t now_ms(void)
{
    return bw_mono_now(NULL).ns / 1000000;
}

static struct tg_client *create_client(struct rig *rig, const char *url,
                                       int64_t timeout_ms)
{
    struct tg_options options = { .api_url = url,
                                  .timeout_ms = timeout_ms,
                                  .log = &rig->log };
    struct bw_error err = { 0 };
    struct tg_client *client;

    if (tg_client_create(&client, &options, &err) != BW_OK)
        fail_msg("%s", err.text);
    return client;
}

static int start_api(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    bw_mutex_init(&rig->mtx);
    rig->sink = (struct bw_log_sink){ BW_LOG_DEBUG, write_line, rig };
    bw_log_init(&rig->log, &rig->sink);
    bot_api_start(&rig->api);
    *state = rig;
    return 0;
}

static int stop_api(void **state)
{
    struct rig *rig = *state;

    bot_api_stop(&rig->api);
    assert_null(strstr(rig->lines, "Secret"));
    bw_mutex_fini(&rig->mtx);
    free(rig);
    return 0;
}

static int fresh(void **state)
{
    struct rig *rig = *state;

    bot_api_reset(&rig->api);
    rig->client = create_client(rig, rig->api.url, 0);
    return 0;
}

static int stale(void **state)
{
    struct rig *rig = *state;

    tg_client_destroy(&rig->client);
    return 0;
}

/* --- calls */

static void on_done(struct tg_call *call, void *arg)
{
    struct wait *wait = arg;

    (void)call;
    bw_mutex_lock(&wait->mtx);
    wait->times++;
    bw_cond_signal(&wait->done);
    bw_mutex_unlock(&wait->mtx);
}

static void submit(struct tg_client *client, struct wait *wait, const char *token,
                   const char *method, json_t *params)
{
    memset(wait, 0, sizeof *wait);
    bw_mutex_init(&wait->mtx);
    bw_cond_init(&wait->done);
    wait->call = tg_call_create(token, method, params);
    assert_non_null(wait->call);
    tg_client_submit(client, wait->call, on_done, wait);
}

static void say(struct tg_client *client, struct wait *wait, int chat)
{
    submit(client, wait, TOKEN, "sendMessage",
           json_pack("{s:i, s:s}", "chat_id", chat, "text", "hello"));
}

static enum tg_outcome await(struct wait *wait)
{
    struct bw_mono deadline = bw_mono_add_ms(bw_mono_now(NULL), PATIENCE_MS);
    bool in_time = true;

    bw_mutex_lock(&wait->mtx);
    while (wait->times == 0 && in_time)
        in_time = bw_cond_wait_until(&wait->done, &wait->mtx, deadline);
    bw_mutex_unlock(&wait->mtx);
    if (!in_time)
        fail_msg("a call is never done");
    assert_int_equal(wait->times, 1);
    assert_null(strstr(tg_call_description(wait->call), "Secret"));
    return tg_call_outcome(wait->call);
}

static void end(struct wait *wait)
{
    assert_int_equal(wait->times, 1);
    tg_call_destroy(&wait->call);
    bw_cond_fini(&wait->done);
    bw_mutex_fini(&wait->mtx);
}

static void wait_for_calls(const struct rig *rig, unsigned min)
{
    json_decref(bot_api_calls(&rig->api, min));
}

static double call_at(const json_t *calls, size_t index, const char *key)
{
    return json_number_value(json_object_get(json_array_get(calls, index), key));
}

/* --- */

static void a_message_is_sent(void **state)
{
    struct rig *rig = *state;
    struct wait wait;
    struct tg_stats stats;
    json_t *calls;

    submit(rig->client, &wait, TOKEN, "sendMessage",
           json_pack("{s:s, s:s, s:s, s:{s:[[{s:s, s:s}]]}}", "chat_id", "42", "text",
                     "<b>Привет</b> 😀", "parse_mode", "HTML", "reply_markup",
                     "inline_keyboard", "text", "да", "callback_data", "yes"));
    assert_int_equal(await(&wait), TG_OK);
    assert_int_equal(
        json_integer_value(json_object_get(tg_call_result(wait.call), "message_id")), 1);
    assert_string_equal(
        json_string_value(json_object_get(tg_call_result(wait.call), "text")),
        "Привет 😀");
    assert_true(tg_call_sent(wait.call));
    assert_false(tg_call_fell_back(wait.call));
    assert_int_equal(tg_call_attempts(wait.call), 1);
    assert_int_equal(tg_call_status(wait.call), 200);
    assert_int_equal(tg_call_error_code(wait.call), 0);
    end(&wait);
    calls = bot_api_calls(&rig->api, 1);
    assert_int_equal(json_array_size(calls), 1);
    json_decref(calls);
    tg_client_stats(rig->client, &stats);
    assert_int_equal(stats.calls, 1);
    assert_int_equal(stats.ok, 1);
    assert_int_equal(stats.in_flight, 0);
}

/* Each way a call can end, all at once, so that the pauses of the retries pass side by
 * side. */
static void each_outcome_is_told_apart(void **state)
{
    static const struct {
        const char *rule;
        enum tg_outcome outcome;
        unsigned attempts;
        bool sent;
        int error_code;
        const char *description; /* part of it */
    } rows[] = {
        { NULL, TG_OK, 1, true, 0, "" },
        { "\"action\":\"blocked\"", TG_REFUSED, 1, true, 403,
          "bot was blocked by the user" },
        { "\"action\":\"status\",\"status\":401,\"description\":\"Unauthorized\"",
          TG_REFUSED, 1, true, 401, "Unauthorized" },
        { "\"action\":\"limit\",\"retry_after\":60", TG_LIMITED, 1, true, 429,
          "Too Many" },
        { "\"action\":\"status\",\"status\":500", TG_UNKNOWN, 4, true, 500, "Internal" },
        { "\"action\":\"status\",\"status\":502,\"count\":1", TG_OK, 2, true, 0, "" },
        { "\"action\":\"cut\"", TG_UNKNOWN, 4, true, 0, "" },
        { "\"action\":\"cut\",\"count\":2", TG_OK, 3, true, 0, "" },
        /* WF-169: a 200 is never sent again */
        { "\"action\":\"half\"", TG_OK, 1, true, 0, "" },
        { "\"action\":\"chunk\"", TG_OK, 1, true, 0, "" },
        { "\"action\":\"stall\"", TG_OK, 1, true, 0, "" },
        { "\"action\":\"raw\",\"body\":\"\"", TG_OK, 1, true, 0, "not one of" },
        { "\"action\":\"raw\",\"status\":204,\"body\":\"\"", TG_OK, 1, true, 0, "" },
        { "\"action\":\"raw\",\"body\":\"{\\\"ok\\\":true}\"", TG_OK, 1, true, 0, "" },
        { "\"action\":\"raw\",\"body\":\"{\\\"ok\\\":true,\\\"result\\\":"
          "{\\\"message_id\\\":2147483648}}\"",
          TG_OK, 1, true, 0, "no message" },
        { "\"action\":\"raw\",\"body\":\"{\\\"ok\\\":true,\\\"result\\\":"
          "{\\\"message_id\\\":99999999999999999999}}\"",
          TG_OK, 1, true, 0, "no message" },
        { "\"action\":\"never\"", TG_UNKNOWN, 4, true, 0, "" },
        { "\"action\":\"raw\",\"body\":\"<html>\"", TG_OK, 1, true, 0, "not one of" },
        { "\"action\":\"raw\",\"body\":\"{}\"", TG_OK, 1, true, 0, "not one of" },
        { "\"action\":\"raw\",\"status\":502,\"body\":\"<html>\"", TG_UNKNOWN, 4, true, 0,
          "" },
        { "\"action\":\"pass\",\"delay\":300", TG_OK, 1, true, 0, "" },
    };
    enum { COUNT = sizeof rows / sizeof rows[0] };
    struct rig *rig = *state;
    struct tg_client *client = create_client(rig, rig->api.url, 3000);
    struct wait waits[COUNT];
    struct tg_stats stats;
    char rule[256];

    for (int i = 0; i < COUNT; i++) {
        if (rows[i].rule == NULL)
            continue;
        (void)snprintf(rule, sizeof rule, "{\"match\":{\"chat\":%d},%s}", 100 + i,
                       rows[i].rule); /* fits */
        bot_api_rule(&rig->api, rule);
    }
    for (int i = 0; i < COUNT; i++)
        say(client, &waits[i], 100 + i);
    for (int i = 0; i < COUNT; i++) {
        print_message("%s\n", rows[i].rule != NULL ? rows[i].rule : "no rule");
        assert_int_equal(await(&waits[i]), rows[i].outcome);
        assert_int_equal(tg_call_attempts(waits[i].call), rows[i].attempts);
        assert_int_equal(tg_call_sent(waits[i].call), rows[i].sent);
        assert_int_equal(tg_call_error_code(waits[i].call), rows[i].error_code);
        assert_non_null(strstr(tg_call_description(waits[i].call), rows[i].description));
        assert_int_equal(tg_call_result(waits[i].call) != NULL,
                         rows[i].outcome == TG_OK && !tg_call_unclear(waits[i].call));
        end(&waits[i]);
    }
    tg_client_stats(client, &stats);
    assert_int_equal(stats.calls, COUNT);
    assert_int_equal(stats.ok + stats.refused + stats.limited + stats.unknown, COUNT);
    tg_client_destroy(&client);
}

/* No connection: surely not sent, whoever is asked later. */
static void without_a_server_nothing_is_sent(void **state)
{
    struct rig *rig = *state;
    struct tg_client *client;
    struct wait wait;
    char url[64];

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/",
                   (unsigned)free_port()); /* fits */
    client = create_client(rig, url, 0);
    say(client, &wait, 1);
    assert_int_equal(await(&wait), TG_NOT_SENT);
    assert_false(tg_call_sent(wait.call));
    assert_int_equal(tg_call_attempts(wait.call), 4);
    assert_int_equal(tg_call_status(wait.call), 0);
    assert_string_not_equal(tg_call_description(wait.call), "");
    end(&wait);
    tg_client_destroy(&client);
}

/* WF-142 */
static void a_short_limit_is_waited_for(void **state)
{
    struct rig *rig = *state;
    struct wait wait;
    json_t *calls;

    bot_api_rule(&rig->api, "{\"count\":1,\"action\":\"limit\",\"retry_after\":1}");
    say(rig->client, &wait, 42);
    assert_int_equal(await(&wait), TG_OK);
    assert_int_equal(tg_call_attempts(wait.call), 2);
    end(&wait);
    calls = bot_api_calls(&rig->api, 2);
    assert_int_equal(json_array_size(calls), 2);
    assert_true(call_at(calls, 1, "at") - call_at(calls, 0, "done") >= 999);
    json_decref(calls);
}

/* WF-168 */
static void a_chat_that_has_moved_is_followed_once(void **state)
{
    struct rig *rig = *state;
    struct wait wait;
    json_t *calls;

    bot_api_rule(&rig->api, "{\"match\":{\"chat\":\"42\"},\"action\":\"migrate\","
                            "\"to\":-1001234567890}");
    say(rig->client, &wait, 42);
    assert_int_equal(await(&wait), TG_OK);
    assert_int_equal(tg_call_attempts(wait.call), 2);
    assert_true(tg_call_moved_to(wait.call) == -1001234567890);
    end(&wait);
    calls = bot_api_calls(&rig->api, 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(calls, 1), "chat")),
        "-1001234567890");
    json_decref(calls);
    bot_api_rule(&rig->api, "{\"action\":\"migrate\",\"to\":-1001234567891}");
    say(rig->client, &wait, 43);
    assert_int_equal(await(&wait), TG_REFUSED);
    assert_int_equal(tg_call_attempts(wait.call), 2);
    end(&wait);
}

/* WF-169: what changes nothing is asked again. */
static void a_question_answered_by_no_bot_api_is_asked_again(void **state)
{
    struct rig *rig = *state;
    struct wait wait;

    bot_api_rule(&rig->api, "{\"count\":1,\"action\":\"raw\",\"body\":\"<html>\"}");
    submit(rig->client, &wait, TOKEN, "getMe", json_object());
    assert_int_equal(await(&wait), TG_OK);
    assert_int_equal(tg_call_attempts(wait.call), 2);
    assert_non_null(tg_call_result(wait.call));
    end(&wait);
}

static void a_long_limit_is_told(void **state)
{
    struct rig *rig = *state;
    struct wait wait;

    bot_api_rule(&rig->api, "{\"action\":\"limit\",\"retry_after\":60}");
    say(rig->client, &wait, 42);
    assert_int_equal(await(&wait), TG_LIMITED);
    assert_int_equal(tg_call_retry_after_ms(wait.call), 60000);
    end(&wait);
}

/* WF-141, §9.4 */
static void broken_markup_is_sent_plain(void **state)
{
    struct rig *rig = *state;
    struct wait wait;
    json_t *calls;
    const json_t *second;

    submit(rig->client, &wait, TOKEN, "sendMessage",
           json_pack("{s:i, s:s, s:s}", "chat_id", 42, "text", "<b>oops", "parse_mode",
                     "HTML"));
    assert_int_equal(await(&wait), TG_OK);
    assert_true(tg_call_fell_back(wait.call));
    assert_int_equal(tg_call_attempts(wait.call), 2);
    end(&wait);
    calls = bot_api_calls(&rig->api, 2);
    second = json_object_get(json_array_get(calls, 1), "params");
    assert_null(json_object_get(second, "parse_mode"));
    assert_string_equal(json_string_value(json_object_get(second, "text")), "<b>oops");
    json_decref(calls);
}

static void the_fallback_is_tried_once(void **state)
{
    struct rig *rig = *state;
    struct wait wait;

    bot_api_rule(&rig->api, "{\"action\":\"status\",\"status\":400,\"description\":"
                            "\"Bad Request: can't parse entities: never\"}");
    submit(
        rig->client, &wait, TOKEN, "sendMessage",
        json_pack("{s:i, s:s, s:s}", "chat_id", 42, "text", "x", "parse_mode", "HTML"));
    assert_int_equal(await(&wait), TG_REFUSED);
    assert_int_equal(tg_call_attempts(wait.call), 2);
    assert_int_equal(tg_call_error_code(wait.call), 400);
    end(&wait);
    say(rig->client, &wait, 42); /* without parse_mode there is nothing to leave out */
    assert_int_equal(await(&wait), TG_REFUSED);
    assert_int_equal(tg_call_attempts(wait.call), 1);
    assert_false(tg_call_fell_back(wait.call));
    end(&wait);
}

static size_t connections_of(const json_t *calls)
{
    json_t *seen = json_object();
    size_t count;

    for (size_t i = 0; i < json_array_size(calls); i++) {
        char number[32];

        (void)snprintf(number, sizeof number, "%.0f",
                       call_at(calls, i, "connection")); /* fits */
        assert_int_equal(json_object_set_new(seen, number, json_true()), 0);
    }
    count = json_object_size(seen);
    json_decref(seen);
    return count;
}

static void connections_are_kept(void **state)
{
    struct rig *rig = *state;
    struct wait wait;
    json_t *calls;

    for (int i = 0; i < 50; i++) {
        say(rig->client, &wait, i + 1);
        assert_int_equal(await(&wait), TG_OK);
        end(&wait);
    }
    calls = bot_api_calls(&rig->api, 50);
    assert_int_equal(connections_of(calls), 1);
    json_decref(calls);
}

static void five_hundred_calls_at_once(void **state)
{
    struct rig *rig = *state;
    struct wait *waits = calloc(500, sizeof *waits);
    json_t *calls;

    bot_api_rule(&rig->api, "{\"delay\":50}");
    for (int i = 0; i < 500; i++)
        say(rig->client, &waits[i], i + 1);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(await(&waits[i]), TG_OK);
        end(&waits[i]);
    }
    calls = bot_api_calls(&rig->api, 500);
    assert_int_equal(json_array_size(calls), 500);
    assert_true(connections_of(calls) <= 256);
    json_decref(calls);
    free(waits);
}

/* --- cancelling */

static void a_call_in_flight_is_cancelled(void **state)
{
    struct rig *rig = *state;
    struct wait wait;
    int64_t start = now_ms();

    bot_api_rule(&rig->api, "{\"action\":\"never\"}");
    say(rig->client, &wait, 42);
    wait_for_calls(rig, 1);
    tg_client_cancel(rig->client, wait.call);
    assert_int_equal(await(&wait), TG_CANCELLED);
    assert_true(tg_call_sent(wait.call));
    assert_true(now_ms() - start < 5000);
    tg_client_cancel(rig->client, wait.call);
    end(&wait);
}

static void a_pausing_call_is_cancelled(void **state)
{
    struct rig *rig = *state;
    struct wait waits[20];
    struct wait last;
    int64_t start = now_ms();

    bot_api_rule(&rig->api,
                 "{\"match\":{\"chat\":42},\"action\":\"limit\",\"retry_after\":5}");
    for (int i = 0; i < 20; i++)
        say(rig->client, &waits[i], 42);
    wait_for_calls(rig, 20);
    for (int i = 0; i < 20; i++) {
        tg_client_cancel(rig->client, waits[i].call);
        tg_client_cancel(rig->client, waits[i].call);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(await(&waits[i]), TG_CANCELLED);
        end(&waits[i]);
    }
    assert_true(now_ms() - start < 5000);
    say(rig->client, &last, 43);
    assert_int_equal(await(&last), TG_OK);
    end(&last);
}

static void a_call_is_cancelled_before_it_starts(void **state)
{
    struct rig *rig = *state;
    struct wait waits[100];
    struct tg_stats stats;

    for (int i = 0; i < 100; i++) {
        say(rig->client, &waits[i], 42);
        tg_client_cancel(rig->client, waits[i].call);
    }
    for (int i = 0; i < 100; i++) {
        enum tg_outcome outcome = await(&waits[i]);

        assert_true(outcome == TG_CANCELLED || outcome == TG_OK);
        end(&waits[i]);
    }
    tg_client_stats(rig->client, &stats);
    assert_int_equal(stats.in_flight, 0);
}

static void destroying_cancels_everything(void **state)
{
    struct rig *rig = *state;
    struct tg_client *client = create_client(rig, rig->api.url, 0);
    struct wait *waits = calloc(400, sizeof *waits);

    bot_api_rule(&rig->api, "{\"match\":{\"chat\":1},\"action\":\"never\"}");
    bot_api_rule(&rig->api,
                 "{\"match\":{\"chat\":2},\"action\":\"limit\",\"retry_after\":5}");
    for (int i = 0; i < 400; i++)
        say(client, &waits[i], i % 2 + 1);
    wait_for_calls(rig, 100);
    tg_client_destroy(&client);
    assert_null(client);
    for (int i = 0; i < 400; i++) {
        assert_int_equal(await(&waits[i]), TG_CANCELLED);
        end(&waits[i]);
    }
    free(waits);
    tg_client_destroy(&client);
}

/* --- what is refused */

static void a_token_that_is_none_goes_nowhere(void **state)
{
    static const char *const tokens[] = { "",         "Secret/../x",
                                          "Secret x", "Secret\r\nHost: x",
                                          "Secret?x", "Secret%41" };
    struct rig *rig = *state;
    json_t *stats;

    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        struct wait wait;

        submit(rig->client, &wait, tokens[i], "getMe", json_object());
        assert_int_equal(await(&wait), TG_REFUSED);
        assert_false(tg_call_sent(wait.call));
        assert_int_equal(tg_call_attempts(wait.call), 0);
        end(&wait);
    }
    stats = bot_api_control(&rig->api, "stats", NULL);
    assert_int_equal(json_integer_value(json_object_get(stats, "calls")), 0);
    json_decref(stats);
}

static void an_endless_answer_is_not_read(void **state)
{
    struct rig *rig = *state;
    struct bw_buf rule = BW_BUF_INIT;
    struct wait wait;

    assert_int_equal(bw_buf_add_str(&rule, "{\"action\":\"raw\",\"body\":\""), BW_OK);
    for (int i = 0; i < 1100; i++)
        assert_int_equal(bw_buf_addf(&rule, "%01024d", 0), BW_OK);
    assert_int_equal(bw_buf_add_str(&rule, "\"}"), BW_OK);
    bot_api_rule(&rig->api, bw_buf_text(&rule));
    bw_buf_fini(&rule);
    say(rig->client, &wait, 42);
    assert_int_equal(await(&wait), TG_OK);
    assert_true(tg_call_unclear(wait.call));
    assert_string_equal(tg_call_description(wait.call), "the answer is too long");
    end(&wait);
}

static void a_bad_url_is_refused(void **state)
{
    static const char *const urls[] = { "", "api.telegram.org", "file:///etc/passwd",
                                        "ftp://u:Secret@h" };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct tg_options options = { .api_url = urls[i], .log = &rig->log };
        struct bw_error err = { 0 };
        struct tg_client *client;

        assert_int_equal(tg_client_create(&client, &options, &err), BW_EINVAL);
        assert_null(client);
        assert_non_null(strstr(err.text, "telegram.apiUrl"));
        assert_null(strstr(err.text, "Secret"));
    }
}

static void a_bad_proxy_is_refused(void **state)
{
    static const char *const urls[] = { "http://",
                                        "://p",
                                        "http://p:99999",
                                        "http://p:x",
                                        "ftp://u:Secret@h",
                                        "http://u:Secret@",
                                        "a b",
                                        "http://u:Secret@a b:1",
                                        "socks6://h:1",
                                        "file:///Secret" };
    static const char *const good[] = { "", "proxy", "proxy:3128",
                                        "http://u:p@proxy:3128/",
                                        "socks5h://[::1]:1080" };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct tg_options options = { .proxy_url = urls[i], .log = &rig->log };
        struct bw_error err = { 0 };
        struct tg_client *client;

        if (tg_client_create(&client, &options, &err) != BW_EINVAL)
            fail_msg("%s is let through", urls[i]);
        assert_null(client);
        assert_non_null(strstr(err.text, "telegram.proxyUrl"));
        assert_null(strstr(err.text, "Secret"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct tg_options options = { .proxy_url = good[i], .log = &rig->log };
        struct bw_error err = { 0 };
        struct tg_client *client;

        if (tg_client_create(&client, &options, &err) != BW_OK)
            fail_msg("%s: %s", good[i], err.text);
        tg_client_destroy(&client);
    }
}

#define WITH_CLIENT(test) cmocka_unit_test_setup_teardown(test, fresh, stale)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLIENT(a_bad_proxy_is_refused),
        WITH_CLIENT(a_message_is_sent),
        WITH_CLIENT(each_outcome_is_told_apart),
        WITH_CLIENT(without_a_server_nothing_is_sent),
        WITH_CLIENT(a_short_limit_is_waited_for),
        WITH_CLIENT(a_chat_that_has_moved_is_followed_once),
        WITH_CLIENT(a_question_answered_by_no_bot_api_is_asked_again),
        WITH_CLIENT(a_long_limit_is_told),
        WITH_CLIENT(broken_markup_is_sent_plain),
        WITH_CLIENT(the_fallback_is_tried_once),
        WITH_CLIENT(connections_are_kept),
        WITH_CLIENT(five_hundred_calls_at_once),
        WITH_CLIENT(a_call_in_flight_is_cancelled),
        WITH_CLIENT(a_pausing_call_is_cancelled),
        WITH_CLIENT(a_call_is_cancelled_before_it_starts),
        WITH_CLIENT(destroying_cancels_everything),
        WITH_CLIENT(a_token_that_is_none_goes_nowhere),
        WITH_CLIENT(an_endless_answer_is_not_read),
        cmocka_unit_test(a_bad_url_is_refused),
    };
    int failed;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    failed = cmocka_run_group_tests(tests, start_api, stop_api);
    curl_global_cleanup();
    return failed;
}
