/* The values of expressions, and what JavaScript makes of them.
 * worker/workflow/spec/workflow.md §7.2, §7.3. */
#ifndef WORKFLOW_EXPRESSION_VALUE_H
#define WORKFLOW_EXPRESSION_VALUE_H

#include "workflow/language/expression/memory.h"
#include "workflow/language/text.h"

enum wf_expr_kind {
    WF_EXPR_UNDEFINED,
    WF_EXPR_NULL,
    WF_EXPR_BOOLEAN,
    WF_EXPR_NUMBER,
    WF_EXPR_STRING,
    WF_EXPR_JSON, /* an array or object of the scope, borrowed */
    WF_EXPR_LIST  /* an array the expression made */
};

struct wf_expr_list;

struct wf_expr_value {
    enum wf_expr_kind kind;
    union {
        bool boolean;
        double number;
        struct wf_text text;
        const json_t *json;
        const struct wf_expr_list *list;
    };
};

struct wf_expr_list {
    size_t count;
    struct wf_expr_value *items;
};

struct wf_expr_value wf_expr_undefined(void);
struct wf_expr_value wf_expr_boolean(bool boolean);
struct wf_expr_value wf_expr_number(double number);
struct wf_expr_value wf_expr_text(struct wf_text text);
struct wf_expr_value wf_expr_from_json(const json_t *json); /* borrows; NULL: undefined */
BW_MUSTCHECK int wf_expr_to_json(struct wf_expr *expr, const struct wf_expr_value *value,
                                 json_t **out);

bool wf_expr_is_nullish(const struct wf_expr_value *value);
bool wf_expr_is_array(const struct wf_expr_value *value);
bool wf_expr_truthy(const struct wf_expr_value *value);
double wf_expr_to_number(const struct wf_expr_value *value);
BW_MUSTCHECK int wf_expr_to_string(struct wf_expr *expr,
                                   const struct wf_expr_value *value,
                                   struct wf_text *out);
size_t wf_expr_array_size(const struct wf_expr_value *array);
struct wf_expr_value wf_expr_array_get(const struct wf_expr_value *array, size_t index);
bool wf_expr_strict_equal(const struct wf_expr_value *a, const struct wf_expr_value *b);
BW_MUSTCHECK int wf_expr_loose_equal(struct wf_expr *expr, const struct wf_expr_value *a,
                                     const struct wf_expr_value *b, bool *equal);

/* Copies the bytes of `buf` into the evaluation's memory (two halves of a pair that met
 * become one character) and ends `buf`; `rc` is what building it gave. */
BW_MUSTCHECK int wf_expr_take(struct wf_expr *expr, struct bw_buf *buf, int rc,
                              struct wf_text *out);
BW_MUSTCHECK int wf_expr_concat(struct wf_expr *expr, struct wf_text a, struct wf_text b,
                                struct wf_text *out);
/* The items joined by `separator`, null and undefined as nothing. */
BW_MUSTCHECK int wf_expr_join(struct wf_expr *expr, const struct wf_expr_value *array,
                              struct wf_text separator, struct wf_text *out);

#endif
