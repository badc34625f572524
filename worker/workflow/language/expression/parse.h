/* The tree of an expression. worker/workflow/spec/workflow.md §7.3. */
#ifndef WORKFLOW_EXPRESSION_PARSE_H
#define WORKFLOW_EXPRESSION_PARSE_H

#include "workflow/language/expression/value.h"

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

#endif
