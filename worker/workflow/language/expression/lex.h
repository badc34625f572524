/* The tokens of an expression. worker/workflow/spec/workflow.md §7.3. */
#ifndef WORKFLOW_EXPRESSION_LEX_H
#define WORKFLOW_EXPRESSION_LEX_H

#include "workflow/language/expression/memory.h"
#include "workflow/language/text.h"

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

#endif
