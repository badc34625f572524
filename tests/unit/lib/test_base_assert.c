/* BW_ASSERT is on in every build, NDEBUG or not. Answers for lib/base/assert.c. */
#define NDEBUG
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/assert.h"

/* The child's standard error, and how it ended. */
static int run_child(int two, char *said, size_t size)
{
    int ends[2], status;
    ssize_t len;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
        (void)dup2(ends[1], STDERR_FILENO);
        BW_ASSERT(1 + 1 == two);
        _exit(0);
    }
    (void)close(ends[1]);
    len = read(ends[0], said, size - 1);
    assert_true(len >= 0);
    said[len] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void what_holds_costs_nothing(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(run_child(2, said, sizeof said), 0);
    assert_string_equal(said, "");
}

static void what_does_not_ends_the_program(void **state)
{
    char said[256];
    int status = run_child(3, said, sizeof said);

    (void)state;
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "test_base_assert.c:"));
    assert_non_null(
        strstr(said, "run_child(): this must hold and does not: 1 + 1 == two"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_costs_nothing),
        cmocka_unit_test(what_does_not_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
