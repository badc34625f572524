/* Answers for worker/workflow/language/event.c, event_telegram.c.
 * worker/workflow/spec/workflow.md §1.6, §6.4.1.
 */
#include "unit.h"

#include "workflow/language/event.h"
#include "workflow/language/event_telegram.h"

static struct wf_event event_of(const char *context, const char *trigger)
{
    struct bw_error err = { .code = 0 };
    json_t *json = json_of(context);
    struct wf_event event;
    int rc = wf_event_parse(&event, json, trigger, &err);

    json_decref(json);
    if (rc != BW_OK)
        fail_msg("%s: %s", err.text, context);
    return event;
}

static void refuse(const char *context, const char *trigger, const char *text)
{
    struct bw_error err = { .code = 0 };
    json_t *json = json_of(context);
    struct wf_event event;

    assert_int_equal(wf_event_parse(&event, json, trigger, &err), BW_EINVAL);
    assert_string_equal(err.text, text);
    assert_null(event.chat_id);
    wf_event_fini(&event);
    json_decref(json);
}

/* WF-004, WF-005, WF-006, WF-010: four shapes of one update, ids as numbers and as texts.
 */
static void test_shapes(void **state)
{
    static const char *const shapes[] = {
        "{'update_id': 7, 'message': {'message_id': 3, 'text': 'hi', 'chat': {'id': 42, "
        "'type':"
        "'private'}, 'from': {'id': 42, 'username': 'ann', 'first_name': 'Ann'}}}",
        "{'update': {'update_id': 7, 'message': {'message_id': 3, 'text': 'hi', 'chat': "
        "{'id':"
        "42, 'type': 'private'}, 'from': {'id': 42, 'username': 'ann', 'first_name': "
        "'Ann'}}},"
        "'api': {'token': '1:A'}, 'me': {'id': 9}, 'session': {'projectId': 'P'}}",
        "{'updateId': '7', 'chat': {'id': '42'}, 'from': {'id': ' 42 ', 'username': "
        "'ann',"
        "'first_name': 'Ann'}, 'message': {'message_id': 3.0, 'text': 'hi'}}",
        "{'update': {'update_id': '007'}, 'msg': {'message_id': '3', 'text': 'hi', "
        "'chat': {'id':"
        "42.0}}, 'from': {'id': 42, 'username': 'ann', 'first_name': 'Ann'}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct wf_event event = event_of(shapes[i], NULL);

        assert_int_equal(event.kind, WF_EVENT_TEXT);
        assert_string_equal(event.update_id, "7");
        assert_string_equal(event.chat_id, "42");
        assert_string_equal(event.from_id, "42");
        assert_string_equal(event.chat_type, "private");
        assert_string_equal(event.message_id, "3");
        assert_string_equal(event.username, "ann");
        assert_string_equal(event.first_name, "Ann");
        assert_string_equal(event.text, "hi");
        assert_null(event.command);
        assert_false(event.max_platform);
        wf_event_fini(&event);
    }
}

/* WF-006: an aliased callback query; WF-010: ids beyond 2^53 stay exact. */
static void test_callback(void **state)
{
    struct wf_event event = event_of("{'callbackQuery': {'id': '4382bfdwdsb323b2d9', "
                                     "'data': 'spend:50:x', 'from': {'id':"
                                     "9007199254740993}, 'message': {'message_id': 8, "
                                     "'chat': {'id': -1001234567890123456,"
                                     "'type': 'supergroup'}}}}",
                                     NULL);

    (void)state;
    assert_int_equal(event.kind, WF_EVENT_CALLBACK);
    assert_string_equal(event.callback_id, "4382bfdwdsb323b2d9");
    assert_string_equal(event.callback_data, "spend:50:x");
    assert_string_equal(event.callback_message_id, "8");
    assert_string_equal(event.chat_id, "-1001234567890123456");
    assert_string_equal(event.from_id, "9007199254740993");
    assert_string_equal(event.chat_type, "supergroup");
    assert_json(
        "telegram", wf_event_telegram(&event),
        "{'chatId': '-1001234567890123456', 'userId': '9007199254740993', 'message':"
        "{'callbackData': 'spend:50:x'}, 'callback': {'data': 'spend:50:x', 'name':"
        "'spend', 'params': ['50', 'x'], 'messageId': '8'}}");
    wf_event_fini(&event);
}

/* An inline-mode button has no message: the person's id is the chat. */
static void test_inline_callback(void **state)
{
    struct wf_event event =
        event_of("{'callback_query': {'id': 900, 'data': '', 'from': {'id': 5}}}", NULL);

    (void)state;
    assert_string_equal(event.chat_id, "5");
    assert_string_equal(event.chat_type, "private");
    assert_string_equal(event.callback_id, "900");
    assert_json(
        "telegram", wf_event_telegram(&event),
        "{'chatId': '5', 'userId': '5', 'message': {'callbackData': ''}, 'callback':"
        "{'data': '', 'name': '', 'params': []}}");
    wf_event_fini(&event);
}

/* §1.6, kind of event; WF-011. */
static void test_kinds(void **state)
{
    static const struct {
        const char *message; /* members of the message besides its chat */
        enum wf_event_kind kind;
        const char *command, *payload;
    } cases[] = {
        { "'text': '/start'", WF_EVENT_START, "/start", NULL },
        { "'text': '/START@DemoBot ref7'", WF_EVENT_START, "/start", "ref7" },
        { "'text': '  /start   a b  '", WF_EVENT_START, "/start", "a b" },
        { "'text': '/startx'", WF_EVENT_COMMAND, "/startx", NULL },
        { "'text': '/Help@bot me'", WF_EVENT_COMMAND, "/help", NULL },
        { "'text': ' /help'", WF_EVENT_TEXT, NULL, NULL },
        { "'text': 'hello /start'", WF_EVENT_TEXT, NULL, NULL },
        { "'text': '/'", WF_EVENT_COMMAND, "/", NULL },
        { "'text': ''", WF_EVENT_OTHER, NULL, NULL },
        { "'text': 5", WF_EVENT_OTHER, NULL, NULL },
        { "'photo': [], 'caption': '/start'", WF_EVENT_OTHER, NULL, NULL },
        { "'contact': {'phone_number': '7'}", WF_EVENT_CONTACT, NULL, NULL },
        { "'location': {'latitude': 1}", WF_EVENT_LOCATION, NULL, NULL },
        { "'poll': {'id': '1'}", WF_EVENT_POLL, NULL, NULL },
        { "'contact': null, 'text': 'x'", WF_EVENT_TEXT, NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bw_buf context = BW_BUF_INIT;
        struct wf_event event;

        assert_int_equal(bw_buf_addf(&context, "{'message': {'chat': {'id': 1}, %s}}",
                                     cases[i].message),
                         BW_OK);
        event = event_of(bw_buf_text(&context), NULL);
        bw_buf_fini(&context);
        if (event.kind != cases[i].kind)
            fail_msg("%s: kind %d", cases[i].message, event.kind);
        if (cases[i].command != NULL)
            assert_string_equal(event.command, cases[i].command);
        else
            assert_null(event.command);
        if (cases[i].payload != NULL)
            assert_string_equal(event.start_payload, cases[i].payload);
        else
            assert_null(event.start_payload);
        wf_event_fini(&event);
    }
}

/* data.trigger counts only for an event without content of its own. */
static void test_trigger(void **state)
{
    struct wf_event event = event_of("{'chat': {'id': 1}, 'from': {'id': 1}}", "start");

    (void)state;
    assert_int_equal(event.kind, WF_EVENT_START);
    assert_string_equal(event.text, "/start");
    wf_event_fini(&event);
    event = event_of("{'message': {'chat': {'id': 1}, 'text': 'hi'}}", "start");
    assert_int_equal(event.kind, WF_EVENT_TEXT);
    wf_event_fini(&event);
    event = event_of("{'message': {'chat': {'id': 1}, 'sticker': {}}}", "start");
    assert_int_equal(event.kind, WF_EVENT_OTHER);
    wf_event_fini(&event);
    event = event_of("{'chat': {'id': 1}}", "message");
    assert_int_equal(event.kind, WF_EVENT_OTHER);
    wf_event_fini(&event);
}

/* WF-007 */
static void test_max(void **state)
{
    struct wf_event event =
        event_of("{'_platform': 'max', 'chat': {'id': 1}, 'message': {}}", NULL);

    (void)state;
    assert_true(event.max_platform);
    wf_event_fini(&event);
}

/* WF-008, and everything that is no context at all. */
static void test_unusable(void **state)
{
    static const char unsupported[] = "context holds no update that is supported";
    static const char no_chat[] = "context names no chat";

    (void)state;
    refuse("{'update_id': 1, 'edited_message': {'chat': {'id': 1}}}", NULL, unsupported);
    refuse("{'update': {'update_id': 1, 'channel_post': {'chat': {'id': 1}}}}", NULL,
           unsupported);
    refuse("{'update': {'inline_query': {'from': {'id': 1}}}, 'chat': {'id': 1}}",
           "message", unsupported);
    refuse("{}", NULL, unsupported);
    refuse("{'message': 'text'}", NULL, unsupported);
    refuse("{}", "start", no_chat);
    refuse("{'message': {'text': 'x'}}", NULL, no_chat);
    refuse("{'message': {'chat': {'id': {'a': 1}}}}", NULL, no_chat);
    refuse("{'message': {'chat': {'id': 'x'}}}", NULL, no_chat);
    refuse("{'message': {'chat': {'id': ''}}}", NULL, no_chat);
    refuse("{'message': {'chat': {'id': 1e300}}}", NULL, no_chat);
    refuse("[1]", NULL, "context is not an object");
    refuse("'x'", NULL, "context is not an object");
}

/* §6.4.1 */
static void test_telegram(void **state)
{
    struct wf_event event = event_of(
        "{'message': {'message_id': 3, 'chat': {'id': 42}, 'from': {'id': 42, "
        "'username': 'ann',"
        "'first_name': 'Ann', 'last_name': 'Lee', 'language_code': 'ru'}, 'contact':"
        "{'phone_number': '79001234567', 'first_name': 'Bob', 'last_name': 'B', "
        "'user_id': 42,"
        "'vcard': 'V'}}}",
        NULL);

    (void)state;
    assert_json(
        "contact", wf_event_telegram(&event),
        "{'chatId': '42', 'userId': '42', 'username': 'ann', 'firstName': 'Ann',"
        "'lastName': 'Lee', 'languageCode': 'ru', 'messageId': '3', 'message': {},"
        "'contact': {'phoneNumber': '79001234567', 'phone': '79001234567', 'firstName':"
        "'Bob', 'lastName': 'B', 'userId': '42', 'telegramUserId': '42', 'vcard': 'V'},"
        "'userPhone': '79001234567'}");
    wf_event_fini(&event);
    event = event_of("{'message': {'chat': {'id': 1}, 'text': '/start ref'}}", NULL);
    event.original_text = strdup("/start  ref");
    assert_json("start", wf_event_telegram(&event),
                "{'chatId': '1', 'startPayload': 'ref', 'message': {'text': '/start ref',"
                "'originalText': '/start  ref'}}");
    wf_event_fini(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),          cmocka_unit_test(test_callback),
        cmocka_unit_test(test_inline_callback), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_trigger),         cmocka_unit_test(test_max),
        cmocka_unit_test(test_unusable),        cmocka_unit_test(test_telegram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
