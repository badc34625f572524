/* What the tests of this folder share: cmocka, and JSON written inline. */
#ifndef TESTS_WORKFLOW_UNIT_H
#define TESTS_WORKFLOW_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* New reference; single quotes stand for double ones. Fails the test when it is no JSON.
 */
static inline json_t *json_of(const char *text)
{
    char *copy = strdup(text);
    json_error_t error;
    json_t *json;

    assert_non_null(copy);
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (json == NULL)
        fail_msg("%s: %s", error.text, text);
    free(copy);
    return json;
}

/* Compares and gives up `value`; `expected` as json_of(), NULL for absent. */
static inline void assert_json(const char *what, json_t *value, const char *expected)
{
    json_t *wanted = expected != NULL ? json_of(expected) : NULL;
    char *text;

    if (value == NULL && wanted == NULL)
        return;
    if (value == NULL || wanted == NULL || json_equal(value, wanted) == 0) {
        text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        fail_msg("%s: %s is not %s", what, text != NULL ? text : "absent",
                 expected != NULL ? expected : "absent");
    }
    json_decref(value);
    json_decref(wanted);
}

/* Compares and ends `buf`. */
static inline void assert_buf(const char *what, struct bw_buf *buf, const char *expected)
{
    if (strcmp(bw_buf_text(buf), expected) != 0)
        fail_msg("%s: '%s' is not '%s'", what, bw_buf_text(buf), expected);
    bw_buf_fini(buf);
}

#endif
