/* The expression language, inside: tokens, tree, values. spec/workflow.md §7.3. Private
 * to this folder; the public entry is wf_expression() in template.h.
 *
 * Everything an evaluation makes lies in its arena and ends with it. */
#ifndef WORKFLOW_EXPRESSION_H
#define WORKFLOW_EXPRESSION_H

#include "workflow/language/arena.h"
#include "workflow/language/template.h"
#include "workflow/language/text.h"

#define WF_EXPR_CHARS_MAX  1000
#define WF_EXPR_DEPTH_MAX  64
#define WF_EXPR_STEPS_MAX  10000
#define WF_EXPR_TEXT_MAX   (1024 * 1024)      /* bytes of one text */
#define WF_EXPR_MEMORY_MAX (16 * 1024 * 1024) /* bytes of all of them */

/* ---- values ---- */

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

/* One evaluation. */
struct wf_expr {
    const struct wf_scope *scope;
    struct wf_arena arena;
    struct bw_error *err; /* the reason of a failure */
    int steps, depth;
    json_t *empty; /* an empty object, once it was needed */
};

/* Sets the reason; returns BW_EINVAL. */
int wf_expr_fail(struct wf_expr *expr, const char *format, ...) BW_PRINTF(2, 3);
/* Memory of the evaluation in `*out`: BW_OK, BW_ENOMEM, or BW_EINVAL over the limit. */
BW_MUSTCHECK int wf_expr_alloc(struct wf_expr *expr, size_t size, void *out);
/* Counts work; BW_EINVAL beyond the limit. */
BW_MUSTCHECK int wf_expr_charge(struct wf_expr *expr, size_t steps);

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

/* ---- tokens ---- */

enum wf_expr_token_kind {
    WF_TOKEN_END,
    WF_TOKEN_NUMBER,
    WF_TOKEN_STRING,
    WF_TOKEN_NAME,
    WF_TOKEN_PATH, /* {{path}}; text is the path */
    WF_TOKEN_SIGN
};

struct wf_expr_token {
    enum wf_expr_token_kind kind;
    struct wf_text text; /* as written; for strings the value */
    double number;
};

struct wf_expr_lexer {
    struct wf_expr *expr;
    struct wf_text text;
    size_t at;
};

/* Reads the next token. BW_EINVAL on what can begin none. */
BW_MUSTCHECK int wf_expr_lex(struct wf_expr_lexer *lexer, struct wf_expr_token *token);

/* ---- tree ---- */

enum wf_expr_op {
    WF_OP_OR,
    WF_OP_COALESCE,
    WF_OP_AND,
    WF_OP_SAME,
    WF_OP_NOT_SAME,
    WF_OP_EQUAL,
    WF_OP_NOT_EQUAL,
    WF_OP_LESS_EQUAL,
    WF_OP_GREATER_EQUAL,
    WF_OP_LESS,
    WF_OP_GREATER,
    WF_OP_ADD,
    WF_OP_SUBTRACT,
    WF_OP_MULTIPLY,
    WF_OP_DIVIDE,
    WF_OP_REMAINDER,
    WF_OP_NOT,
    WF_OP_NEGATE,
    WF_OP_PLUS,
    WF_OP_TYPEOF
};

enum wf_expr_node_kind {
    WF_NODE_LITERAL,
    WF_NODE_PATH,
    WF_NODE_NAME,
    WF_NODE_ARRAY,   /* [args] */
    WF_NODE_CALL,    /* function(args) */
    WF_NODE_TERNARY, /* a ? b : c */
    WF_NODE_UNARY,   /* op a */
    WF_NODE_CHAIN,   /* a op b op c …, from the left */
    WF_NODE_POSTFIX  /* a.b[c].d(e) …, from the left */
};

struct wf_expr_node;
struct wf_expr_function;
struct wf_expr_method;

struct wf_expr_item {
    struct wf_expr_node *node;
    struct wf_expr_item *next;
};

struct wf_expr_args {
    struct wf_expr_item *first;
    size_t count;
};

struct wf_expr_link { /* of a chain */
    enum wf_expr_op op;
    struct wf_expr_node *operand;
    struct wf_expr_link *next;
};

struct wf_expr_suffix { /* of a postfix: one of the three is set */
    struct wf_text member;
    struct wf_expr_node *index;
    const struct wf_expr_method *method;
    struct wf_expr_args args; /* of the method */
    struct wf_expr_suffix *next;
};

struct wf_expr_node {
    enum wf_expr_node_kind kind;
    enum wf_expr_op op;
    struct wf_expr_value literal;
    struct wf_text name; /* of a name or path */
    struct wf_expr_node *a, *b, *c;
    struct wf_expr_link *links;
    struct wf_expr_suffix *suffixes;
    const struct wf_expr_function *function;
    struct wf_expr_args args;
};

BW_MUSTCHECK int wf_expr_parse(struct wf_expr *expr, struct wf_text text,
                               struct wf_expr_node **tree);
BW_MUSTCHECK int wf_expr_eval(struct wf_expr *expr, const struct wf_expr_node *node,
                              struct wf_expr_value *out);

/* ---- names: variables, functions and methods ---- */

BW_MUSTCHECK int wf_expr_name(struct wf_expr *expr, struct wf_text name,
                              struct wf_expr_value *out);
/* Whether `name` is one of the variable scopes, whose members are variables; then the
 * member. */
bool wf_expr_is_scope(struct wf_text name);
BW_MUSTCHECK int wf_expr_scope_member(struct wf_expr *expr, struct wf_text scope_name,
                                      struct wf_text member, struct wf_expr_value *out);
/* Own members only; BW_EINVAL on null and undefined. */
BW_MUSTCHECK int wf_expr_member(struct wf_expr *expr, const struct wf_expr_value *object,
                                struct wf_text member, struct wf_expr_value *out);
/* get(key[, scope]); `scope_name` "" is the default. */
BW_MUSTCHECK int wf_expr_get(struct wf_expr *expr, struct wf_text key,
                             struct wf_text scope_name, struct wf_expr_value *out);

struct wf_expr_call { /* what a function or method gets */
    struct wf_expr *expr;
    struct wf_expr_value self; /* of a method */
    const struct wf_expr_value *args;
    size_t count;
};

/* The argument, undefined when it is not there. */
struct wf_expr_value wf_expr_arg(const struct wf_expr_call *call, size_t index);

/* `space` is "" or what stands before the point ("Math"). NULL: no such function. */
const struct wf_expr_function *wf_expr_find_function(struct wf_text space,
                                                     struct wf_text name);
BW_MUSTCHECK int wf_expr_call_function(const struct wf_expr_function *function,
                                       const struct wf_expr_call *call,
                                       struct wf_expr_value *out);
const struct wf_expr_method *wf_expr_find_method(struct wf_text name);
BW_MUSTCHECK int wf_expr_call_method(const struct wf_expr_method *method,
                                     const struct wf_expr_call *call,
                                     struct wf_expr_value *out);

#endif
