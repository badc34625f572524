/* eval_lines SCOPE.json: evaluates expressions, each a JSON string on a line of stdin,
 * and writes a line for each: {"v": value}, {} for undefined, or {"e": error}. The peer
 * of expressions.js. */
#include <stdio.h>
#include <stdlib.h>

#include "json_scope.h"
#include "workflow/language/expression/expression.h"

static void answer(const struct wf_scope *scope, const char *text)
{
    struct bw_error err = { .code = 0 };
    json_t *line = json_object(), *value;
    int rc = wf_expression(scope, text, &value, &err);

    if (rc != BW_OK)
        (void)json_object_set_new(line, "e", json_string(err.text));
    else if (value != NULL)
        (void)json_object_set_new(line, "v", value);
    (void)json_dumpf(line, stdout, JSON_COMPACT); /* a lost line fails the comparison */
    (void)putchar('\n');
    json_decref(line);
}

int main(int argc, char **argv)
{
    json_t *values = argc == 2 ? json_load_file(argv[1], 0, NULL) : NULL;
    struct wf_scope scope = json_scope(values);
    char *line = NULL;
    size_t room = 0;

    if (values == NULL)
        return 2;
    while (getline(&line, &room, stdin) > 0) {
        json_t *text = json_loads(line, JSON_DECODE_ANY, NULL);

        answer(&scope, json_string_value(text));
        json_decref(text);
    }
    free(line);
    json_decref(values);
    return 0;
}
