#include "redis_rig.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TICK_MS 2

/* --- logs */

static void keep_line(void *arg, enum bw_log_level level, const char *message,
                      const struct bw_log_field *fields, size_t count)
{
    struct rig *rig = arg;

    assert_int_equal(bw_buf_addf(&rig->logged, "%d %s", (int)level, message), BW_OK);
    for (size_t i = 0; i < count; i++) {
        int rc = fields[i].text != NULL
                     ? bw_buf_addf(&rig->logged, " %s=%s", fields[i].key, fields[i].text)
                     : bw_buf_addf(&rig->logged, " %s=%lld", fields[i].key,
                                   (long long)fields[i].number);

        assert_int_equal(rc, BW_OK);
    }
    assert_int_equal(bw_buf_add_char(&rig->logged, '\n'), BW_OK);
}

/* --- life */

static void on_tick(void *arg)
{
    struct rig *rig = arg;

    bw_timer_start(rig->tick, TICK_MS);
}

void rig_init(struct rig *rig, const char *url,
              void (*change)(struct bw_redis_options *options))
{
    struct bw_error err;

    memset(rig, 0, sizeof *rig);
    rig->sink = (struct bw_log_sink){ BW_LOG_DEBUG, keep_line, rig };
    bw_log_init(&rig->log, &rig->sink);
    if (bw_redis_options_parse(&rig->options, url, &err) != BW_OK)
        fail_msg("%s: %s", url, err.text);
    if (change != NULL)
        change(&rig->options);
    assert_int_equal(bw_loop_create(&rig->loop, NULL, &err), BW_OK);
    assert_int_equal(bw_timer_create(&rig->tick, rig->loop, on_tick, rig), BW_OK);
}

static void on_ready(struct bw_conn *conn, void *arg)
{
    struct rig *rig = arg;

    assert_true(bw_conn_is_ready(conn));
    rig->ready++;
    if (rig->on_ready != NULL)
        rig->on_ready(rig);
}

static void on_lost(struct bw_conn *conn, const struct bw_error *why, void *arg)
{
    struct rig *rig = arg;

    assert_false(bw_conn_is_ready(conn));
    rig->lost++;
    rig->why = *why;
}

void rig_open(struct rig *rig, const char *name, bool scripts)
{
    struct bw_conn_options options = {
        .redis = &rig->options,
        .name = name,
        .scripts = scripts,
        .idle_ms = rig->idle_ms,
        .log = &rig->log,
        .on_ready = on_ready,
        .on_lost = on_lost,
        .arg = rig,
    };
    struct bw_error err;

    if (bw_conn_create(&rig->conn, rig->loop, &options, &err) != BW_OK)
        fail_msg("%s", err.text);
    bw_conn_open(rig->conn);
}

void rig_fini(struct rig *rig)
{
    bw_conn_destroy(&rig->conn);
    bw_timer_destroy(&rig->tick);
    bw_loop_destroy(&rig->loop);
    bw_redis_options_fini(&rig->options);
    bw_buf_fini(&rig->logged);
    bw_buf_fini(&rig->answers);
}

/* --- waiting */

static void look(void *arg)
{
    struct rig *rig = arg;

    rig->in_time = bw_mono_before(bw_loop_mono(rig->loop), rig->deadline);
    if (rig->condition(rig) || !rig->in_time)
        bw_loop_stop(rig->loop);
}

int64_t rig_run(struct rig *rig, bool (*condition)(struct rig *rig), int64_t limit_ms,
                const char *what)
{
    struct bw_mono start = bw_mono_now(NULL);

    rig->condition = condition;
    rig->deadline = bw_mono_add_ms(start, limit_ms);
    bw_timer_start(rig->tick, 0);
    bw_loop_on_turn(rig->loop, look, rig);
    bw_loop_run(rig->loop);
    bw_loop_on_turn(rig->loop, NULL, NULL);
    if (!condition(rig))
        fail_msg("%s within %lld ms\n%s", what, (long long)limit_ms,
                 bw_buf_text(&rig->logged));
    return bw_mono_ms_until(start, bw_mono_now(NULL));
}

bool rig_is_ready(struct rig *rig)
{
    return bw_conn_is_ready(rig->conn);
}

bool rig_is_lost(struct rig *rig)
{
    return rig->lost > 0;
}

bool rig_has_answers(struct rig *rig)
{
    return rig->answered >= rig->wanted;
}

void rig_forget(struct rig *rig)
{
    rig->ready = rig->lost = rig->answered = rig->wanted = 0;
    bw_buf_clear(&rig->answers);
    bw_buf_clear(&rig->logged);
}

/* --- commands */

static void print(struct bw_buf *out, const struct bw_reply *reply)
{
    size_t len;
    const char *text = bw_reply_text(reply, &len);
    int rc = BW_OK;

    if (bw_reply_kind(reply) == BW_REPLY_INTEGER)
        rc = bw_buf_addf(out, "%lld", (long long)bw_reply_integer(reply));
    else if (bw_reply_kind(reply) == BW_REPLY_NIL)
        rc = bw_buf_add_str(out, "nil");
    else
        rc = bw_buf_add(out, text, len);
    assert_int_equal(rc, BW_OK);
    for (size_t i = 0; i < bw_reply_count(reply); i++) {
        if (i > 0)
            assert_int_equal(bw_buf_add_char(out, ' '), BW_OK);
        print(out, bw_reply_at(reply, i));
    }
}

void rig_on_answer(const struct bw_reply *reply, const struct bw_error *err, void *arg)
{
    struct rig *rig = arg;

    assert_true((reply == NULL) == (err != NULL));
    rig->answered++;
    if (err != NULL)
        assert_int_equal(
            bw_buf_addf(&rig->answers, "!%s %s", bw_code_name(err->code), err->text),
            BW_OK);
    else
        print(&rig->answers, reply);
    assert_int_equal(bw_buf_add_char(&rig->answers, '\n'), BW_OK);
}

int rig_send(struct rig *rig, unsigned timeout_ms, const char *words)
{
    struct bw_cmd cmd = BW_CMD_INIT;
    int rc;

    while (*words != '\0') {
        size_t len = strcspn(words, " ");

        bw_cmd_arg(&cmd, words, len);
        words += len;
        words += *words == ' ';
    }
    rc = bw_conn_send(rig->conn, &cmd, timeout_ms, rig_on_answer, rig);
    bw_cmd_fini(&cmd);
    rig->wanted += rc == BW_OK;
    return rc;
}

const char *rig_ask(struct rig *rig, const char *words)
{
    rig->answered = rig->wanted = 0;
    bw_buf_clear(&rig->answers);
    assert_int_equal(rig_send(rig, 15000, words), BW_OK);
    RIG_RUN(rig, rig_has_answers, 20000);
    rig->answers.data[rig->answers.len - 1] = '\0';
    return rig->answers.data;
}
