/* Answers for worker/telegram/retry.c, answer.c, pauses.c and call.c
 * (worker/workflow/spec/workflow.md §9.4, §9.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "telegram/call.h"
#include "telegram/pauses.h"
#include "telegram/retry.h"

/* --- the schedule */

static const struct tg_attempt ok = { TG_EVENT_ANSWER, 200, 0, false, false };
static const struct tg_attempt refused = { TG_EVENT_ANSWER, 403, 0, false, false };
static const struct tg_attempt broken = { TG_EVENT_ANSWER, 502, 0, false, false };
static const struct tg_attempt limited = { TG_EVENT_ANSWER, 429, 3000, false, false };
static const struct tg_attempt limited_long = { TG_EVENT_ANSWER, 429, 6000, false,
                                                false };
static const struct tg_attempt limited_bare = { TG_EVENT_ANSWER, 429, 0, false, false };
static const struct tg_attempt markup = { TG_EVENT_ANSWER, 400, 0, true, false };
static const struct tg_attempt cut = { TG_EVENT_CUT, 0, 0, false, false };
static const struct tg_attempt unsent = { TG_EVENT_UNSENT, 0, 0, false, false };
static const struct tg_attempt unclear = { TG_EVENT_UNCLEAR, 0, 0, false, false };
static const struct tg_attempt moved = { TG_EVENT_ANSWER, 400, 0, false, true };

#define ATTEMPTS 8

/* A call against a clock that only the schedule moves. */
static const struct course {
    const struct tg_attempt *attempts[ATTEMPTS];
    int64_t pauses_ms[ATTEMPTS]; /* before the second, the third … attempt; 0: at once */
    enum tg_outcome outcome;
    bool sent, plain;
} courses[] = {
    { { &ok }, { 0 }, TG_OK, true, false },
    { { &refused }, { 0 }, TG_REFUSED, true, false },
    { { &broken, &ok }, { 500 }, TG_OK, true, false },
    { { &broken, &broken, &broken, &broken },
      { 500, 1000, 2000 },
      TG_UNKNOWN,
      true,
      false },
    { { &unsent, &unsent, &unsent, &unsent },
      { 500, 1000, 2000 },
      TG_NOT_SENT,
      false,
      false },
    { { &cut, &cut, &cut, &cut }, { 500, 1000, 2000 }, TG_UNKNOWN, true, false },
    { { &unclear }, { 0 }, TG_OK, true, false }, /* WF-169 */
    { { &broken, &unclear }, { 500 }, TG_OK, true, false },
    { { &moved, &ok }, { 0 }, TG_OK, true, false }, /* WF-168 */
    { { &moved, &moved }, { 0 }, TG_REFUSED, true, false },
    { { &markup, &moved, &ok }, { 0, 0 }, TG_OK, true, true },
    { { &cut, &unsent, &unsent, &unsent }, { 500, 1000, 2000 }, TG_UNKNOWN, true, false },
    { { &limited, &limited, &limited, &limited },
      { 3000, 3000, 3000 },
      TG_LIMITED,
      true,
      false },
    { { &limited, &limited, &limited, &ok }, { 3000, 3000, 3000 }, TG_OK, true, false },
    { { &limited_bare, &ok }, { 1000 }, TG_OK, true, false },
    { { &limited_long }, { 0 }, TG_LIMITED, true, false },
    { { &cut, &limited_long }, { 500 }, TG_UNKNOWN, true, false },
    { { &unsent, &limited_long }, { 500 }, TG_LIMITED, true, false },
    { { &markup, &ok }, { 0 }, TG_OK, true, true },
    { { &markup, &markup }, { 0 }, TG_REFUSED, true, true },
    { { &markup, &limited, &ok }, { 0, 3000 }, TG_OK, true, true },
    { { &broken, &limited, &broken, &cut, &broken },
      { 500, 3000, 1000, 2000 },
      TG_UNKNOWN,
      true,
      false },
};

static void a_course_takes_its_time(const struct course *course)
{
    struct tg_history history = { 0 };
    size_t i = 0;

    for (;;) {
        struct tg_verdict verdict = tg_retry_judge(&history, course->attempts[i], 5000);

        i++;
        if (i == ATTEMPTS || course->attempts[i] == NULL) {
            assert_int_equal(verdict.step, TG_STEP_FINISH);
            assert_int_equal(verdict.outcome, course->outcome);
            break;
        }
        assert_int_not_equal(verdict.step, TG_STEP_FINISH);
        assert_int_equal(verdict.step == TG_STEP_PLAIN,
                         course->attempts[i - 1] == &markup);
        assert_int_equal(verdict.step == TG_STEP_MOVED,
                         course->attempts[i - 1] == &moved);
        assert_int_equal(verdict.delay_ms, course->pauses_ms[i - 1]);
    }
    assert_int_equal(history.sent, course->sent);
    assert_int_equal(history.plain, course->plain);
}

static void each_course_ends_as_the_spec_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof courses / sizeof courses[0]; i++) {
        print_message("course %zu\n", i);
        a_course_takes_its_time(&courses[i]);
    }
}

/* What changes nothing may be asked again. */
static void a_question_is_asked_again(void **state)
{
    struct tg_history history = { .question = true };

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(tg_retry_judge(&history, &unclear, 5000).step, TG_STEP_RETRY);
    assert_int_equal(tg_retry_judge(&history, &unclear, 5000).outcome, TG_UNKNOWN);
}

static void complaints_about_markup_are_known(void **state)
{
    (void)state;
    assert_true(tg_retry_is_markup("Bad Request: can't PARSE entities: x"));
    assert_true(tg_retry_is_markup("Unsupported start tag \"x\""));
    assert_true(tg_retry_is_markup("Unexpected End Tag"));
    assert_true(tg_retry_is_markup("an Entity"));
    assert_false(tg_retry_is_markup("Bad Request: chat not found"));
}

/* --- answers */

static bool parse(struct tg_answer *answer, const char *text)
{
    return tg_answer_parse(answer, text, strlen(text));
}

static void an_answer_is_taken_apart(void **state)
{
    struct tg_answer answer = { 0 };

    (void)state;
    assert_true(parse(&answer, "{\"ok\":true,\"result\":{\"message_id\":7}}"));
    assert_int_equal(json_integer_value(json_object_get(answer.result, "message_id")), 7);
    assert_true(parse(&answer,
                      "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many\","
                      "\"parameters\":{\"retry_after\":5}}"));
    assert_null(answer.result);
    assert_int_equal(answer.error_code, 429);
    assert_int_equal(answer.retry_after_ms, 5000);
    assert_string_equal(answer.description, "Too Many");
    assert_true(parse(&answer, "{\"ok\":false,\"error_code\":429,\"parameters\":"
                               "{\"retry_after\":1e300}}"));
    assert_int_equal(answer.retry_after_ms, 86400000);
    assert_true(parse(&answer, "{\"ok\":false,\"error_code\":400,\"parameters\":"
                               "{\"retry_after\":-1}}"));
    assert_int_equal(answer.retry_after_ms, 0);
    tg_answer_fini(&answer);
}

/* WF-168: ids of chats have up to 52 bits. */
static void a_chat_s_new_id_is_read(void **state)
{
    struct tg_answer answer = { 0 };

    (void)state;
    assert_true(parse(&answer, "{\"ok\":false,\"error_code\":400,\"parameters\":"
                               "{\"migrate_to_chat_id\":-1001234567890}}"));
    assert_true(answer.migrate_to == -1001234567890);
    assert_true(parse(&answer, "{\"ok\":false,\"error_code\":400,\"parameters\":"
                               "{\"migrate_to_chat_id\":\"x\"}}"));
    assert_true(answer.migrate_to == 0);
    tg_answer_fini(&answer);
}

/* WF-169 */
static void a_result_fits_its_method(void **state)
{
    static const struct {
        const char *method, *result;
        bool fits;
    } rows[] = {
        { "sendMessage", "{\"message_id\":7}", true },
        { "sendMessage", "{\"message_id\":0}", true },
        { "sendPhoto", "{\"message_id\":2147483647}", true },
        { "sendPhoto", "{\"message_id\":2147483648}", false },
        { "sendVideo", "{\"message_id\":-1}", false },
        { "sendDocument", "{\"message_id\":\"7\"}", false },
        { "sendMessage", "{\"message_id\":1.5}", false },
        { "sendMessage", "{}", false },
        { "sendMessage", "true", false },
        { "editMessageText", "true", true },
        { "editMessageText", "{\"message_id\":7}", true },
        { "editMessageText", "[]", false },
        { "deleteMessage", "true", true },
        { "answerCallbackQuery", "true", true },
        { "sendChatAction", "true", true },
        { "getMe", "{\"id\":1}", true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_call *call =
            tg_call_create("1:abc", rows[i].method, json_pack("{s:s}", "chat_id", "1"));

        assert_non_null(call);
        call->answer.result = json_loads(rows[i].result, JSON_DECODE_ANY, NULL);
        assert_int_equal(tg_call_result_fits(call), rows[i].fits);
        tg_call_destroy(&call);
    }
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const texts[] = { "",
                                         "null",
                                         "[]",
                                         "{}",
                                         "<html>",
                                         "{\"ok\":1}",
                                         "{\"ok\":true}",
                                         "{\"ok\":false}",
                                         "{\"ok\":false,\"error_code\":7}",
                                         "{\"ok\":false,\"error_code\":99999999999}",
                                         "{\"ok\":true,\"result\":{\"a\":" };
    struct tg_answer answer = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(parse(&answer, texts[i]));
        assert_int_equal(answer.error_code, 0);
        assert_string_not_equal(answer.description, "");
    }
    tg_answer_fini(&answer);
}

static void a_secret_is_left_out(void **state)
{
    char out[32];

    (void)state;
    tg_scrub(out, sizeof out, "GET /bot1:abc/x 1:ab\r\n1:abc", "1:abc");
    assert_string_equal(out, "GET /bot***/x 1:ab  ***");
    tg_scrub(out, 5, "x 1:abc y", "1:abc");
    assert_string_equal(out, "x **");
    tg_scrub(out, sizeof out, "plain", "");
    assert_string_equal(out, "plain");
}

/* --- pauses */

static void the_pause_due_first_ends_first(void **state)
{
    static struct tg_call calls[200];
    struct tg_pauses pauses = { 0 };
    int64_t last = 0;
    uint32_t random = 12345;

    (void)state;
    assert_null(tg_pauses_first(&pauses));
    for (size_t i = 0; i < 200; i++) {
        random = random * 1103515245 + 12345;
        calls[i].due.ns = random % 1000;
        assert_int_equal(tg_pauses_add(&pauses, &calls[i]), BW_OK);
    }
    for (size_t i = 0; i < 200; i += 3)
        tg_pauses_remove(&pauses, &calls[i]);
    for (size_t left = 133; left > 0; left--) {
        struct tg_call *call = tg_pauses_first(&pauses);

        assert_int_equal(pauses.count, left);
        assert_true((call - calls) % 3 != 0);
        assert_true(call->due.ns >= last);
        last = call->due.ns;
        tg_pauses_remove(&pauses, call);
    }
    assert_null(tg_pauses_first(&pauses));
    tg_pauses_fini(&pauses);
}

/* --- calls */

static void a_call_becomes_plain(void **state)
{
    struct tg_call *call =
        tg_call_create("1:abc", "sendMessage",
                       json_pack("{s:s, s:s}", "text", "ж", "parse_mode", "HTML"));

    (void)state;
    assert_non_null(call);
    assert_true(tg_call_has_parse_mode(call));
    assert_int_equal(tg_call_make_plain(call), BW_OK);
    assert_false(tg_call_has_parse_mode(call));
    assert_string_equal(call->body, "{\"text\":\"ж\"}");
    assert_int_equal(call->body_len, strlen(call->body));
    tg_call_destroy(&call);
    tg_call_destroy(&call);
    assert_null(tg_call_create("1:abc", "sendMessage", json_array()));
    assert_null(tg_call_create("1:abc", "sendMessage", NULL));
}

static void a_queue_loses_only_what_is_removed(void **state)
{
    struct tg_call calls[3] = { 0 };
    struct tg_queue queue = { 0 };
    struct tg_queue other = { 0 };

    (void)state;
    tg_queue_add(&other, &calls[1]);
    tg_queue_add(&other, &calls[2]);
    tg_queue_add_first(&queue, &calls[0]);
    tg_queue_move(&queue, &other);
    tg_queue_remove(&queue, &calls[1]);
    tg_queue_remove(&queue, &calls[1]);
    assert_ptr_equal(tg_queue_take(&queue), &calls[0]);
    assert_ptr_equal(tg_queue_take(&queue), &calls[2]);
    assert_null(tg_queue_take(&queue));
    assert_null(queue.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_course_ends_as_the_spec_says),
        cmocka_unit_test(a_question_is_asked_again),
        cmocka_unit_test(complaints_about_markup_are_known),
        cmocka_unit_test(an_answer_is_taken_apart),
        cmocka_unit_test(a_chat_s_new_id_is_read),
        cmocka_unit_test(a_result_fits_its_method),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(a_secret_is_left_out),
        cmocka_unit_test(the_pause_due_first_ends_first),
        cmocka_unit_test(a_call_becomes_plain),
        cmocka_unit_test(a_queue_loses_only_what_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
