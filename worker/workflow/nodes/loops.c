/* flow.loop. worker/workflow/spec/workflow.md §5.5 */
#include "workflow/nodes/loops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/expression/expression.h"
#include "workflow/language/template.h"
#include "workflow/language/value.h"
#include "workflow/nodes/nodes.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/language/graph.h"

#define PREFIX         "__loop:"
#define MAX_ITERATIONS 100
#define MOST           100000 /* whatever an author asks for */

enum turn { TURN_RUN, TURN_OVER, TURN_FAILED };

static json_t *begin(struct wf_run *run);
static enum turn next_turn(struct wf_run *run, const json_t *state);
static void enter(struct wf_run *run, json_t *state);

/* --- the stack */

static json_t *top(const struct wf_run *run)
{
    size_t count = json_array_size(run->progress.loops);

    return count > 0 ? json_array_get(run->progress.loops, count - 1) : NULL;
}

const char *wf_loops_innermost(const struct wf_run *run)
{
    return wf_member(top(run), "node", NULL);
}

int64_t wf_loops_visits(const struct wf_run *run, int64_t limit)
{
    for (size_t i = 0; i < json_array_size(run->progress.loops); i++) {
        int64_t most = json_integer_value(json_object_get(
                           json_array_get(run->progress.loops, i), "max")) +
                       1;

        if (most > limit)
            limit = most;
    }
    return limit;
}

static void push(struct wf_run *run, json_t *state)
{
    if (json_array_append_new(run->progress.loops, state) != 0)
        (void)wf_must(NULL);
}

/* The loop is over, and with it what runs inside of it. */
static void pop(struct wf_run *run, const char *node)
{
    while (top(run) != NULL) {
        bool found = strcmp(wf_loops_innermost(run), node) == 0;
        char *name = wf_printf(PREFIX "%s", wf_loops_innermost(run));
        const json_t *kept = wf_run_get(run, WF_SESSION, name);

        if (kept != NULL && !json_is_null(kept))
            wf_run_set(run, name, json_null(), 0);
        free(name);
        (void)json_array_remove(run->progress.loops,
                                json_array_size(run->progress.loops) - 1);
        if (found)
            return;
    }
}

static json_t *state_of(const struct wf_run *run, const char *node)
{
    for (size_t i = json_array_size(run->progress.loops); i-- > 0;) {
        json_t *state = json_array_get(run->progress.loops, i);

        if (strcmp(wf_member(state, "node", ""), node) == 0)
            return state;
    }
    return NULL;
}

/* --- while the run waits */

void wf_loops_keep(struct wf_run *run)
{
    for (size_t i = 0; i < json_array_size(run->progress.loops); i++) {
        const json_t *state = json_array_get(run->progress.loops, i);
        char *name = wf_printf(PREFIX "%s", wf_member(state, "node", ""));
        json_t *value = wf_must(json_copy((json_t *)(uintptr_t)state));

        wf_json_set_text(value, "executionId", run->execution.id);
        wf_json_set(value, "depth", json_integer((json_int_t)i));
        wf_run_set(run, name, value, 0);
        free(name);
    }
}

/* The state kept at this depth by this execution; NULL: none. */
static json_t *kept_at(const struct wf_run *run, size_t depth)
{
    const char *name;
    json_t *value;

    json_object_foreach(run->vars[WF_SESSION], name, value)
    {
        if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
            strcmp(wf_member(value, "executionId", ""), run->execution.id) == 0 &&
            json_integer_value(json_object_get(value, "depth")) == (json_int_t)depth)
            return value;
    }
    return NULL;
}

void wf_loops_find(struct wf_run *run)
{
    json_t *value;

    for (size_t depth = 0; (value = kept_at(run, depth)) != NULL; depth++)
        push(run, wf_must(json_deep_copy(value)));
}

void wf_loops_drop(struct wf_run *run)
{
    while (top(run) != NULL)
        pop(run, wf_loops_innermost(run));
}

/* --- the node */

static const char *handle_among(const struct wf_node *node, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (wf_node_edge(node, *names, false) != NULL)
            return *names;
    }
    return NULL;
}

/* What today's editor can draw: the variables of all iterations, then the edge once. */
static enum wf_action run_through(struct wf_run *run)
{
    json_t *state = begin(run);
    enum turn turn = TURN_FAILED;

    while (state != NULL && (turn = next_turn(run, state)) == TURN_RUN)
        enter(run, state);
    json_decref(state);
    return turn == TURN_OVER ? wf_node_next() : WF_ERROR;
}

static enum wf_action leave(struct wf_run *run)
{
    static const char *const exits[] = { "done", "end", "completed", "exit", NULL };
    const char *handle = handle_among(run->node, exits);

    pop(run, run->node->id);
    return wf_node_branch(run, handle != NULL ? handle : "done", true);
}

enum wf_action wf_start_loop(struct wf_run *run)
{
    static const char *const bodies[] = { "body", "loop", "each", "iteration", NULL };
    const char *body = handle_among(run->node, bodies);
    json_t *state = state_of(run, run->node->id);

    if (body == NULL)
        return run_through(run);
    if (state == NULL) {
        state = begin(run);
        if (state == NULL)
            return WF_ERROR;
        push(run, state);
    }
    switch (next_turn(run, state)) {
    case TURN_RUN:
        enter(run, state);
        return wf_node_branch(run, body, false);
    case TURN_OVER:
        return leave(run);
    case TURN_FAILED:
        break;
    }
    return WF_ERROR;
}

/* --- what a loop goes over */

static int64_t max_iterations(const struct wf_run *run)
{
    double max = wf_value_number(json_object_get(run->node->config, "maxIterations"));

    if (!(max >= 1))
        return MAX_ITERATIONS;
    return max < MOST ? (int64_t)max : MOST;
}

static bool read_items(struct wf_run *run, json_t *state)
{
    const char *name = wf_member(run->node->config, "array", "");
    struct wf_scope scope = wf_run_scope(run);
    int64_t max = max_iterations(run);
    json_t *items = NULL;
    size_t count;

    if (*name == '\0') {
        (void)wf_node_fail(run, "Array variable name is required for foreach loop");
        return false;
    }
    wf_check(wf_operand_value(&scope, name, &items));
    count = json_array_size(items);
    if (!json_is_array(items) || count > (size_t)max) {
        if (!json_is_array(items))
            (void)wf_node_fail(run, "Variable %s is not an array", name);
        else
            (void)wf_node_fail(run, "Array length %zu exceeds maximum iterations %lld",
                               count, (long long)max);
        json_decref(items);
        return false;
    }
    wf_json_set(state, "count", json_integer((json_int_t)count));
    wf_json_set(state, "items", wf_must(json_deep_copy(items))); /* as it is now */
    json_decref(items);
    return true;
}

/* False: the node has failed. */
static bool read_count(struct wf_run *run, json_t *state)
{
    const json_t *config = json_object_get(run->node->config, "count");
    int64_t max = max_iterations(run);
    json_t *value;
    double count;

    if (config == NULL)
        config = json_object_get(run->node->config, "iterations");
    value = config != NULL ? wf_run_value(run, config) : NULL;
    count =
        json_is_number(value) || (json_is_string(value) && json_string_length(value) > 0)
            ? trunc(wf_value_number(value))
            : NAN;
    json_decref(value);
    if (!(count >= 0)) {
        (void)wf_node_fail(run, "Count must be a non-negative number");
        return false;
    }
    if (count > (double)max) {
        (void)wf_node_fail(run, "Count %.0f exceeds maximum iterations %lld", count,
                           (long long)max);
        return false;
    }
    wf_json_set(state, "count", json_integer((json_int_t)count));
    return true;
}

/* New reference; NULL: the node has failed. */
static json_t *begin(struct wf_run *run)
{
    const char *type = wf_member(run->node->config, "type", "count");
    json_t *state = wf_must(json_object());
    bool good = true;

    wf_json_set_text(state, "node", run->node->id);
    wf_json_set(state, "index", json_integer(0));
    wf_json_set(state, "max", json_integer(max_iterations(run)));
    if (strcmp(type, "foreach") == 0) {
        good = read_items(run, state);
    } else if (strcmp(type, "count") == 0) {
        good = read_count(run, state);
    } else if (strcmp(type, "while") != 0 ||
               *wf_member(run->node->config, "condition", "") == '\0') {
        if (strcmp(type, "while") == 0)
            (void)wf_node_fail(run, "Condition is required for while loop");
        else
            (void)wf_node_fail(run, "Unsupported loop type: %s", type);
        good = false;
    }
    if (good)
        return state;
    json_decref(state);
    return NULL;
}

/* --- one iteration */

static enum turn test(struct wf_run *run, const char *expression)
{
    struct wf_scope scope = wf_run_scope(run);
    struct bw_error err = { 0 };
    bool result = false;
    int rc = wf_expression_test(&scope, expression, &result, &err);

    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK) {
        (void)wf_node_fail(run, "%s", err.text);
        return TURN_FAILED;
    }
    return result ? TURN_RUN : TURN_OVER;
}

/* Is there a next iteration? */
static enum turn next_turn(struct wf_run *run, const json_t *state)
{
    json_int_t index = json_integer_value(json_object_get(state, "index"));
    const json_t *count = json_object_get(state, "count");
    const char *stop = wf_member(run->node->config, "breakCondition", "");
    enum turn turn;

    if (index > 0 && *stop != '\0') {
        turn = test(run, stop);
        if (turn != TURN_OVER)
            return turn == TURN_RUN ? TURN_OVER : turn;
    }
    if (count != NULL)
        return index < json_integer_value(count) ? TURN_RUN : TURN_OVER;
    turn = test(run, wf_member(run->node->config, "condition", ""));
    if (turn == TURN_RUN && index >= json_integer_value(json_object_get(state, "max"))) {
        (void)wf_node_fail(run, "While loop exceeded maximum iterations %lld",
                           (long long)json_integer_value(json_object_get(state, "max")));
        return TURN_FAILED;
    }
    return turn;
}

/* Sets the iteration's variables, and counts it. */
static void enter(struct wf_run *run, json_t *state)
{
    const json_t *config = run->node->config;
    const char *name = wf_member2(config, "indexVariable", "iteratorVariable");
    json_int_t index = json_integer_value(json_object_get(state, "index"));
    const json_t *items = json_object_get(state, "items");

    wf_run_set(run, name != NULL ? name : "loop_index", json_integer(index), 0);
    if (items != NULL)
        wf_run_set(run, wf_member(config, "itemVariable", "loop_item"),
                   json_incref(json_array_get(items, (size_t)index)), 0);
    wf_json_set(state, "index", json_integer(index + 1));
}
