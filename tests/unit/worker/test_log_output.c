/* worker/base/log_output.c: one line an event, as JSON and as text. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log_output.h"

struct rig {
    int ends[2]; /* a pipe: what is written can be read */
    struct wk_log_output output;
    struct bw_log log;
    char line[2 * PIPE_BUF];
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    if (rig == NULL || pipe2(rig->ends, O_CLOEXEC) != 0)
        return -1;
    wk_log_output_init(&rig->output, rig->ends[1], BW_LOG_INFO, true);
    bw_log_init(&rig->log, &rig->output.sink);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    (void)close(rig->ends[0]);
    (void)close(rig->ends[1]);
    free(rig);
    return 0;
}

static const char *read_all(struct rig *rig)
{
    ssize_t got = read(rig->ends[0], rig->line, sizeof rig->line - 1);

    assert_true(got > 0);
    rig->line[got] = '\0';
    return rig->line;
}

static json_t *read_json(struct rig *rig)
{
    const char *line = read_all(rig);
    json_error_t err;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &err);

    if (object == NULL)
        fail_msg("not JSON: %s: %s", err.text, line);
    assert_int_equal(line[strlen(line) - 1], '\n');
    return object;
}

static void assert_text(json_t *object, const char *key, const char *expected)
{
    assert_non_null(json_object_get(object, key));
    assert_string_equal(json_string_value(json_object_get(object, key)), expected);
}

static void test_json(void **state)
{
    struct rig *rig = *state;
    struct bw_log queue;
    json_t *line;

    bw_log_child(&queue, &rig->log, "queue", "emails");
    bw_log(&queue, BW_LOG_WARNING, "lock lost", bw_text("job", "7"),
           bw_num("attempt", -2));
    line = read_json(rig);
    assert_text(line, "level", "warning");
    assert_text(line, "message", "lock lost");
    assert_text(line, "queue", "emails");
    assert_text(line, "job", "7");
    assert_int_equal(json_integer_value(json_object_get(line, "attempt")), -2);
    assert_int_equal(strlen(json_string_value(json_object_get(line, "time"))), 24);
    json_decref(line);
}

static void test_json_escapes(void **state)
{
    struct rig *rig = *state;
    json_t *line;

    bw_log(&rig->log, BW_LOG_ERROR, "bad",
           bw_text("a", "quote\" back\\ line\n tab\t bell\a \x7f ünï 😀"),
           bw_text("b", "broken \xff\xc3 \xed\xa0\x80 \xf8 end"));
    line = read_json(rig);
    assert_text(line, "a", "quote\" back\\ line\n tab\t bell\a \x7f ünï 😀");
    assert_non_null(strstr(json_string_value(json_object_get(line, "b")), " end"));
    json_decref(line);
}

static void test_text(void **state)
{
    struct rig *rig = *state;
    const char *line;

    wk_log_output_change(&rig->output, BW_LOG_INFO, false);
    bw_log(&rig->log, BW_LOG_INFO, "connected", bw_text("addr", "h:1"),
           bw_text("why", "two words"), bw_text("empty", ""), bw_text("nl", "a\nb"));
    line = read_all(rig);
    assert_string_equal(
        line + 24,
        " info    connected addr=h:1 why=\"two words\" empty=\"\" nl=\"a\\nb\"\n");
}

static void test_level(void **state)
{
    struct rig *rig = *state;

    bw_log(&rig->log, BW_LOG_DEBUG, "unseen");
    bw_log(&rig->log, BW_LOG_INFO, "one");
    wk_log_output_change(&rig->output, BW_LOG_DEBUG, false);
    bw_log(&rig->log, BW_LOG_DEBUG, "two");
    wk_log_output_change(&rig->output, BW_LOG_ERROR, false);
    bw_log(&rig->log, BW_LOG_WARNING, "unseen");
    (void)read_all(rig);
    assert_null(strstr(rig->line, "unseen"));
    assert_non_null(strstr(rig->line, "one"));
    assert_non_null(strstr(rig->line, "two"));
}

/* Whatever is too long, and wherever the limit falls: a whole line of at most PIPE_BUF
 * bytes. */
static void test_long_lines_stay_whole(void **state)
{
    struct rig *rig = *state;
    static char big[2 * PIPE_BUF];

    for (size_t len = PIPE_BUF - 160; len < PIPE_BUF + 40; len++) {
        static const char *const pieces[] = { "x", "\"", "\n", "é", "😀", "\xff" };
        const char *piece = pieces[len % 6];
        size_t at = 0;

        while (at + strlen(piece) <= len) {
            memcpy(big + at, piece, strlen(piece));
            at += strlen(piece);
        }
        big[at] = '\0';
        for (int json = 0; json < 2; json++) {
            wk_log_output_change(&rig->output, BW_LOG_INFO, json != 0);
            bw_log(&rig->log, BW_LOG_INFO, "long", bw_text("big", big),
                   bw_num("after", 1), bw_text("and", "more"));
            if (json != 0)
                json_decref(read_json(rig));
            else
                (void)read_all(rig);
            assert_true(strlen(rig->line) <= PIPE_BUF);
            assert_ptr_equal(strchr(rig->line, '\n'), rig->line + strlen(rig->line) - 1);
        }
    }
    bw_log(&rig->log, BW_LOG_INFO, big); /* even as a message */
    json_decref(read_json(rig));
}

/* Nobody reads: lines are lost and counted, nobody waits for long. */
static void test_full_pipe_drops(void **state)
{
    struct rig *rig = *state;
    size_t lines = 0;
    bool lost = false;
    char *at;

    for (int i = 0; i < 3000; i++)
        bw_log(&rig->log, BW_LOG_INFO, "a line that nobody reads for now",
               bw_num("i", i));
    assert_true(rig->output.dropped > 0);
    assert_int_equal(fcntl(rig->ends[0], F_SETFL, O_NONBLOCK), 0);
    for (ssize_t got; (got = read(rig->ends[0], rig->line, sizeof rig->line - 1)) > 0;)
        lines += (size_t)got;
    assert_true(lines > 0);
    bw_log(&rig->log, BW_LOG_INFO, "again");
    (void)read_all(rig);
    at = strstr(rig->line, "log lines were lost");
    lost = at != NULL && strstr(rig->line, "again") != NULL;
    assert_true(lost);
    assert_int_equal(rig->output.dropped, 0);
}

#define THREADS 4
#define LINES   500

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        bw_log((const struct bw_log *)arg, BW_LOG_INFO, "from a thread",
               bw_text("padding", "0123456789012345678901234567890123456789"),
               bw_num("i", i));
    return NULL;
}

/* Lines of threads do not mix, also while the level changes. */
static void test_threads(void **state)
{
    struct rig *rig = *state;
    pthread_t threads[THREADS];
    char path[] = "/tmp/bulwark-log-XXXXXX";
    int fd = mkstemp(path);
    char line[1024];
    int count = 0;
    FILE *file;

    assert_true(fd >= 0);
    wk_log_output_init(&rig->output, fd, BW_LOG_INFO, true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &rig->log), 0);
    for (int i = 0; i < 100; i++)
        wk_log_output_change(&rig->output, i % 2 != 0 ? BW_LOG_INFO : BW_LOG_DEBUG, true);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        json_t *object = json_loads(line, 0, NULL);

        assert_non_null(object);
        json_decref(object);
        count++;
    }
    assert_int_equal(count, THREADS * LINES);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_level, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_lines_stay_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_pipe_drops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
