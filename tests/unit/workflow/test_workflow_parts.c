/* Parts of the workflow engine that need no server:
 * worker/workflow/{waits,foreign,held,map,memory,chats,ids,
 * settings,customer,frozen,engine}.c. worker/workflow/spec/workflow.md §3.6, §3.7.2,
 * §5.2.1, §6.5, §10.6, Appendix C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/engine/chats.h"
#include "workflow/run/customer.h"
#include "workflow/engine/engine.h"
#include "workflow/jobs/foreign.h"
#include "workflow/language/frozen.h"
#include "workflow/base/ids.h"
#include "workflow/base/map.h"
#include "workflow/engine/memory.h"
#include "workflow/run/referral_link.h"
#include "workflow/engine/settings.h"
#include "workflow/steps/waits.h"
#include "workflow/jobs/scan.h"

static struct wf_settings settings;

static int open_settings(void **state)
{
    struct bw_error err;

    (void)state;
    return wf_settings_parse(&settings, NULL, &err);
}

static int close_settings(void **state)
{
    (void)state;
    wf_settings_fini(&settings);
    return 0;
}

/* --- waits */

static bool accepts(const struct wf_event *event, bool matched, const char *wait)
{
    return wf_waits_accepts(event, matched, wf_wait_type_of(wait));
}

/* §3.6.1, the table of wait types */
static void test_accepted(void **state)
{
    static const struct {
        enum wf_event_kind kind;
        bool matched;
        const char *yes[6], *no[6];
    } rows[] = {
        { WF_EVENT_CONTACT,
          false,
          { "contact", "input" },
          { "callback", "location", "delay" } },
        { WF_EVENT_TEXT,
          false,
          { "input", "contact", "location", "poll" },
          { "callback", "delay" } },
        { WF_EVENT_COMMAND, false, { "input", "contact" }, { "callback" } },
        { WF_EVENT_CALLBACK, false, { "contact" }, { "callback", "input", "delay" } },
        { WF_EVENT_CALLBACK,
          true,
          { "callback", "contact", "input", "location", "poll" },
          { "delay" } },
        { WF_EVENT_LOCATION, false, { "location", "input" }, { "contact", "poll" } },
        { WF_EVENT_POLL, false, { "poll", "input" }, { "location" } },
        { WF_EVENT_OTHER, false, { NULL }, { "input", "contact" } },
        { WF_EVENT_START, false, { NULL }, { "input", "callback", "" } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wf_event event = { .kind = rows[i].kind };

        for (size_t k = 0; k < 6 && rows[i].yes[k] != NULL; k++)
            assert_true(accepts(&event, rows[i].matched, rows[i].yes[k]));
        for (size_t k = 0; k < 6 && rows[i].no[k] != NULL; k++)
            assert_false(accepts(&event, rows[i].matched, rows[i].no[k]));
        assert_false(accepts(&event, rows[i].matched, NULL));
        assert_false(accepts(&event, rows[i].matched, "inp"));
    }
}

/* §3.7.2: one text to one kind of wait. */
static void expect_meaning(const char *wait, const char *text, enum wf_verdict verdict,
                           const char *replaced, const char *phone, const char *email)
{
    struct wf_event event = { .kind = WF_EVENT_TEXT };
    struct wf_meaning meaning;

    wf_waits_read(&meaning, &event, wf_wait_type_of(wait), text, &settings);
    assert_int_equal(meaning.verdict, verdict);
    assert_int_equal(meaning.text != NULL, replaced != NULL);
    if (replaced != NULL)
        assert_string_equal(meaning.text, replaced);
    assert_int_equal(meaning.phone != NULL, phone != NULL);
    if (phone != NULL)
        assert_string_equal(meaning.phone, phone);
    assert_int_equal(meaning.email != NULL, email != NULL);
    if (email != NULL)
        assert_string_equal(meaning.email, email);
    wf_meaning_fini(&meaning);
}

static void test_meaning(void **state)
{
    (void)state;
    /* a (WF-049) */
    expect_meaning("contact", "+7 900 123-45-67", WF_VERDICT_GO_ON, NULL, "+79001234567",
                   NULL);
    expect_meaning("contact", " 123456 ", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    expect_meaning("input", "+7 900 123-45-67", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    expect_meaning("contact", "05.03.1990", WF_VERDICT_GO_ON, "05.03.1990", NULL, NULL);
    /* b (WF-053) */
    expect_meaning("contact", "✉️ Ввести email", WF_VERDICT_ASK_EMAIL, NULL,
                   NULL, NULL);
    expect_meaning("input", "ВВЕСТИ E-MAIL!", WF_VERDICT_ASK_EMAIL, NULL, NULL, NULL);
    expect_meaning("input", "ввести почту завтра", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    /* c (WF-052) */
    expect_meaning("input", "⏭️ Пропустить", WF_VERDICT_GO_ON, "__SKIP__",
                   NULL, NULL);
    expect_meaning("input", "SKIP", WF_VERDICT_GO_ON, "__SKIP__", NULL, NULL);
    expect_meaning("input", "skipper", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    /* d (WF-050, WF-051) */
    expect_meaning("input", "User@Mail.RU", WF_VERDICT_GO_ON, NULL, NULL, "user@mail.ru");
    expect_meaning("input", "foo@bar.", WF_VERDICT_WRONG_EMAIL, NULL, NULL, NULL);
    expect_meaning("input", "a@b@c.de", WF_VERDICT_WRONG_EMAIL, NULL, NULL, NULL);
    expect_meaning("input", "@b.c", WF_VERDICT_WRONG_EMAIL, NULL, NULL, NULL);
    expect_meaning("input", "a@.c", WF_VERDICT_WRONG_EMAIL, NULL, NULL, NULL);
    expect_meaning("input", "a@b..", WF_VERDICT_GO_ON, NULL, NULL, "a@b..");
    expect_meaning("input", "a@b", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    expect_meaning("input", "me at a@b.c please", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    /* e (WF-054) */
    expect_meaning("input", "5/3/1990", WF_VERDICT_GO_ON, "05.03.1990", NULL, NULL);
    expect_meaning("input", "29.02.2000", WF_VERDICT_GO_ON, "29.02.2000", NULL, NULL);
    expect_meaning("input", "29.02.2001", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    expect_meaning("input", "31.02.1990", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    expect_meaning("input", "01.01.9999", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    expect_meaning("input", "01.01.1800", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    expect_meaning("input", "05.03", WF_VERDICT_GO_ON, NULL, NULL, NULL);
    /* other waits take the text as it is */
    expect_meaning("location", "skip", WF_VERDICT_GO_ON, NULL, NULL, NULL);
}

/* --- workers of another kind in CLIENT LIST */

static void test_foreign(void **state)
{
    static const char list[] =
        "id=3 addr=10.0.0.1:1 laddr=x name=bull:cQ== age=1 db=0 cmd=bzpopmin user=d\n"
        "id=4 addr=10.0.0.2:1 name=bull:cQ== db=0 cmd=client|setname\n" /* ours */
        "id=5 addr=10.0.0.3:1 name=bull:cQ==:w:one cmd=bzpopmin\r\n"
        "id=6 addr=10.0.0.4:1 name=bull:cQ==x cmd=bzpopmin\n"
        "id=7 addr=10.0.0.5:1 name=bulwark:1:markers cmd=bzpopmin\n"
        "id=8 addr=10.0.0.6:1 name= cmd=bzpopmin\n"
        "\n"
        "id=9 name=bull:cQ== cmd=bzpopminx";
    char address[16];

    (void)state;
    assert_int_equal(wf_foreign_count(list, "bull:cQ==", address, sizeof(address)), 2);
    assert_string_equal(address, "10.0.0.1:1");
    assert_int_equal(wf_foreign_count("", "bull:cQ==", address, sizeof(address)), 0);
    assert_string_equal(address, "");
    assert_int_equal(wf_foreign_count("no list", "bull:cQ==", NULL, 0), 0);
}

/* --- what jobs are held back for */

static void test_held(void **state)
{
    struct wf_held held;
    struct bw_mono now = { 0 }, late = bw_mono_add_ms(now, 200000);

    (void)state;
    wf_held_init(&held);
    wf_held_project(&held, "P", bw_mono_add_ms(now, 5000));
    wf_held_project(&held, "P", bw_mono_add_ms(now, 10000));
    wf_held_project(&held, "Q", bw_mono_add_ms(now, 300000));
    assert_int_equal(wf_held_count(&held, WF_HELD_TOKEN, now), 2);
    assert_int_equal(wf_held_count(&held, WF_HELD_TOKEN, late), 1); /* no news of P */
    assert_false(wf_held_release(&held, "P"));
    assert_true(wf_held_release(&held, "Q"));
    wf_held_set(&held, WF_HELD_SCHEMA, true);
    assert_int_equal(wf_held_count(&held, WF_HELD_SCHEMA, now), 1);
    assert_int_equal(wf_held_count(&held, WF_HELD_TOKEN, now), 0);
    assert_string_equal(wf_held_label(WF_HELD_SCHEMA), "schema");
    wf_held_fini(&held);
}

/* --- map, memory */

static void test_map(void **state)
{
    struct wf_map map = { 0 };
    char key[16];
    int values[500];

    (void)state;
    assert_null(wf_map_get(&map, "x"));
    assert_null(wf_map_take(&map, "x"));
    for (int i = 0; i < 500; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        wf_map_put(&map, key, &values[i]);
    }
    wf_map_put(&map, "k7", &values[8]);
    assert_int_equal(map.count, 500);
    assert_ptr_equal(wf_map_get(&map, "k7"), &values[8]);
    assert_ptr_equal(wf_map_get(&map, "k499"), &values[499]);
    assert_ptr_equal(wf_map_take(&map, "k3"), &values[3]);
    assert_null(wf_map_get(&map, "k3"));
    assert_int_equal(map.count, 499);
    wf_map_fini(&map, NULL);
    assert_int_equal(map.count, 0);
}

static int64_t now_ns;

static struct bw_mono fake_mono(void *arg)
{
    (void)arg;
    return (struct bw_mono){ now_ns };
}

static void expect_kept(struct wf_memory *memory, const char *key, const char *value)
{
    char *got = wf_memory_get(memory, key);

    assert_int_equal(got != NULL, value != NULL);
    if (value != NULL)
        assert_string_equal(got, value);
    free(got);
}

/* §10.6 */
static void test_memory(void **state)
{
    const struct bw_clock clock = { .mono = fake_mono };
    struct wf_memory *memory = wf_memory_create(3, &clock);

    (void)state;
    wf_memory_set(memory, "a", "1", 1000);
    assert_false(wf_memory_set_new(memory, "a", "2", 1000));
    expect_kept(memory, "a", "1");
    now_ns += 999000000;
    expect_kept(memory, "a", "1");
    now_ns += 1000000;
    expect_kept(memory, "a", NULL); /* over */
    assert_true(wf_memory_set_new(memory, "a", "2", 1000));
    assert_int_equal(wf_memory_count(memory, "n", 100), 1);
    assert_int_equal(wf_memory_count(memory, "n", 100), 2);
    now_ns += 100000000;
    assert_int_equal(wf_memory_count(memory, "n", 100), 1);
    assert_false(wf_memory_delete_if(memory, "a", "other"));
    assert_false(wf_memory_extend_if(memory, "a", "other", 9000));
    assert_true(wf_memory_extend_if(memory, "a", "2", 9000));
    now_ns += 5000000000;
    expect_kept(memory, "a", "2");
    assert_true(wf_memory_delete_if(memory, "a", "2"));
    expect_kept(memory, "a", NULL);
    wf_memory_destroy(&memory);
    wf_memory_destroy(&memory);
}

static void test_memory_forgets_the_oldest(void **state)
{
    const struct bw_clock clock = { .mono = fake_mono };
    struct wf_memory *memory = wf_memory_create(3, &clock);

    (void)state;
    wf_memory_set(memory, "a", "1", 1000);
    wf_memory_set(memory, "b", "2", 1000);
    wf_memory_set(memory, "c", "3", 1000);
    expect_kept(memory, "a", "1"); /* used: b is the oldest now */
    wf_memory_set(memory, "d", "4", 1000);
    expect_kept(memory, "b", NULL);
    expect_kept(memory, "a", "1");
    expect_kept(memory, "c", "3");
    expect_kept(memory, "d", "4");
    wf_memory_destroy(&memory);
}

/* --- chats (§3.1 step 4) */

static void test_chats(void **state)
{
    struct wf_chats chats;
    struct wf_turn first = { .key = "c", .order = 5 }, late = { .key = "c", .order = 9 };
    struct wf_turn early = { .key = "c", .order = 7 }, same = { .key = "c", .order = 7 };
    struct wf_turn other = { .key = "d", .order = 1 };

    (void)state;
    wf_chats_init(&chats);
    assert_true(wf_chats_enter(&chats, &first));
    assert_false(wf_chats_enter(&chats, &late));
    assert_false(wf_chats_enter(&chats, &early));
    assert_false(wf_chats_enter(&chats, &same));
    assert_true(wf_chats_enter(&chats, &other));
    assert_null(wf_chats_leave(&chats, &other));
    assert_ptr_equal(wf_chats_leave(&chats, &first), &early);
    assert_ptr_equal(wf_chats_leave(&chats, &early), &same);
    assert_ptr_equal(wf_chats_leave(&chats, &same), &late);
    assert_null(wf_chats_leave(&chats, &late));
    assert_true(wf_chats_enter(&chats, &first));
    assert_null(wf_chats_leave(&chats, &first));
    wf_chats_fini(&chats);
}

/* --- ids, settings */

static void test_ids(void **state)
{
    char one[WF_ID_SIZE], other[WF_ID_SIZE], token[33];

    (void)state;
    wf_id_random(one);
    wf_id_random(other);
    assert_int_equal(strlen(one), 25);
    assert_int_equal(one[0], 'c');
    assert_int_equal(strspn(one, "0123456789abcdefghijklmnopqrstuvwxyz"), 25);
    assert_string_not_equal(one, other);
    wf_id_token(token);
    assert_int_equal(strspn(token, "0123456789abcdef"), 32);
}

static void test_settings(void **state)
{
    const char *const fills[] = { "userId", "u{projectId}", "projectId", "P", NULL };
    struct wf_settings own;
    struct bw_error err;
    json_t *config = json_pack("{s:i, s:b, s:s}", "ratelimit.bot", 30, "template.escape",
                               0, "format.timezone", "UTC");
    char *key;

    (void)state;
    assert_int_equal(wf_settings_parse(&own, config, &err), BW_OK);
    assert_int_equal(own.limit_bot, 30);
    assert_false(own.escape);
    assert_string_equal(own.timezone, "UTC");
    assert_int_equal(own.ttl_user_variables, 120);
    wf_settings_fini(&own);
    json_decref(config);

    config = json_pack("{s:i}", "ratelimt.bot", 1);
    assert_int_equal(wf_settings_parse(&own, config, &err), BW_EINVAL);
    assert_non_null(strstr(err.text, "\"ratelimit.bot\""));
    json_decref(config);
    config = json_pack("{s:i}", "ratelimit.bot", 0);
    assert_int_equal(wf_settings_parse(&own, config, &err), BW_EINVAL);
    json_decref(config);
    config = json_pack("{s:s}", "template.escape", "no");
    assert_int_equal(wf_settings_parse(&own, config, &err), BW_EINVAL);
    json_decref(config);

    key = wf_settings_key(settings.key_user_variables, fills);
    assert_string_equal(
        key, "user:u{projectId}:P:variables"); /* what is filled in is not read again */
    free(key);
}

/* --- customer (§6.5) */

static json_t *customer(const char *purchases, const char *levels)
{
    char text[512];
    json_t *row, *level_list = json_loads(levels, 0, NULL), *flat;

    (void)snprintf(
        text, sizeof(text),
        "{\"id\":\"u1\",\"first_name\":\"Ann\",\"last_name\":null,\"current_level\":"
        "\"4\","
        "\"total_purchases\":%s,\"balance\":150.0,\"earned\":0.1,\"tx_count\":1,"
        "\"domain\":\"http://shop.ru/\",\"last_transactions\":[{\"amount\":12.50,"
        "\"type\":\"SPEND\",\"description\":null,\"local\":\"2025-03-09 07:05\"}]}",
        purchases);
    row = json_loads(text, 0, NULL);
    assert_non_null(row);
    flat = wf_customer_variables(row, level_list, &settings);
    json_decref(row);
    json_decref(level_list);
    return flat;
}

static void expect_flat(const json_t *flat, const char *key, const char *value)
{
    assert_non_null(json_object_get(flat, key));
    assert_string_equal(json_string_value(json_object_get(flat, key)), value);
}

static void test_customer(void **state)
{
    json_t *flat = customer("2000", "[]");

    (void)state;
    expect_flat(flat, "user.fullName", "Ann");
    expect_flat(flat, "user.lastName", "Не указано");
    expect_flat(flat, "user.currentLevel", "Серебряный");
    expect_flat(flat, "user.nextLevelName", "Уровень не определен");
    expect_flat(flat, "user.progressBar", "▱▱▱▱ (0%)");
    expect_flat(flat, "user.balanceFormatted", "150.00 бонусов");
    assert_int_equal(json_integer_value(json_object_get(flat, "user.balance")), 150);
    expect_flat(flat, "user.transactionHistory",
                "-12.5 бонусов - Операция (9 марта 2025 г. в 07:05)");
    expect_flat(flat, "transactions.formatted",
                "1. 💸 -12.5 бонусов • Операция\n   📅 09.03, 07:05");
    expect_flat(flat, "user.referralLink", "http://shop.ru/?utm_ref=u1");
    json_decref(flat);
}

/* WF-115 and the edges around it */
static void test_levels(void **state)
{
    static const char levels[] =
        "[{\"name\":\"A\",\"min\":0,\"max\":999,\"order\":1},"
        "{\"name\":\"B\",\"min\":1000,\"max\":4999,\"order\":2},"
        "{\"name\":\"C\",\"min\":5000,\"max\":null,\"order\":3,\"bonusPercent\":7}]";
    json_t *flat = customer("2000", levels);

    (void)state;
    expect_flat(flat, "user.currentLevel", "B");
    expect_flat(flat, "user.progressBar", "▰▱▱▱ (25%)");
    expect_flat(flat, "user.nextLevelAmountFormatted", "3000 руб.");
    json_decref(flat);
    flat = customer("999.5", levels); /* between two levels: the lowest by order */
    expect_flat(flat, "user.currentLevel", "A");
    expect_flat(flat, "user.progressBar", "▰▰▰▰ (100%)");
    json_decref(flat);
    flat = customer("90000", levels);
    expect_flat(flat, "user.currentLevel", "C");
    expect_flat(flat, "user.nextLevelName", "Максимальный уровень достигнут");
    expect_flat(flat, "user.progressBar", "▰▰▰▰ (100%)");
    assert_int_equal(json_integer_value(json_object_get(flat, "user.levelBonusPercent")),
                     7);
    json_decref(flat);
}

/* --- links that bring a friend (§8.4) */

static void expect_link(const char *domain, const char *slug, const char *more,
                        const char *expected)
{
    json_t *params = more != NULL ? json_loads(more, 0, NULL) : NULL;
    char *link = wf_referral_link(domain, "u 1", slug, params);

    assert_string_equal(link, expected);
    free(link);
    json_decref(params);
}

static void test_referral_link(void **state)
{
    (void)state;
    expect_link(NULL, NULL, NULL, "https://example.com/?utm_ref=u+1");
    expect_link("", NULL, NULL, "https://example.com/?utm_ref=u+1");
    expect_link("http://shop.ru/a/", "o&1", NULL,
                "http://shop.ru/a?utm_ref=u+1&utm_org=o%261");
    expect_link("shop.ru/?a=b", NULL, NULL, "https://shop.ru/?a=b&utm_ref=u+1");
    expect_link("shop.ru", "o", "{\"x y\":\"1\",\"utm_org\":\"mine\"}",
                "https://shop.ru/?utm_ref=u+1&utm_org=mine&x+y=1");
}

/* --- frozen */

static void test_frozen(void **state)
{
    json_t *value = json_loads("{\"a\":[1,{\"b\":true}],\"c\":null}", 0, NULL);
    json_t *part;

    (void)state;
    wf_json_freeze(value);
    part = json_incref(json_array_get(json_object_get(value, "a"), 1));
    assert_int_equal(part->refcount, (size_t)-1);
    json_decref(part);
    json_decref(value); /* nothing happens */
    assert_int_equal(json_array_size(json_object_get(value, "a")), 2);
    wf_json_thaw(value);
    assert_int_equal(value->refcount, 1);
    json_decref(value);
    wf_json_freeze(NULL);
}

/* --- engine */

static bool scans(const char *queue, json_t *config)
{
    static const struct wf_effects effects;
    struct wf_engine_options options = { .effects = &effects,
                                         .queue = queue,
                                         .config = config };
    struct wf_engine *engine;
    struct bw_error err;
    bool result;

    assert_int_equal(wf_engine_create(&engine, &options, &err), BW_OK);
    result = wf_scan_is_wanted(engine);
    wf_engine_destroy(&engine);
    json_decref(config);
    return result;
}

/* §11.1: off unless asked for, and not by the engine of the queue of delays too. */
static void test_scans(void **state)
{
    (void)state;
    assert_false(scans("workflow-processing", NULL));
    assert_false(scans("workflow-processing", json_pack("{s:b}", "schedule.scan", 0)));
    assert_true(scans("workflow-processing", json_pack("{s:b}", "schedule.scan", 1)));
    assert_false(scans("workflow-delays", json_pack("{s:b}", "schedule.scan", 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_forgets_the_oldest),
        cmocka_unit_test(test_chats),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_customer),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_referral_link),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_scans),
    };

    return cmocka_run_group_tests(tests, open_settings, close_settings);
}
