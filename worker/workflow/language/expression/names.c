/* The paths that an expression reads, as far as they are written out. For those who look
 * a workflow over; an evaluation does not need them. */
#include "workflow/language/expression/names.h"

#include <string.h>

#include "workflow/language/expression/call.h"
#include "workflow/language/expression/expression.h"
#include "workflow/language/expression/parse.h"

struct walk {
    void (*visit)(void *arg, struct wf_text path);
    void *arg;
};

static void walk_node(const struct walk *walk, const struct wf_expr_node *node);

static void give(const struct walk *walk, struct wf_text path)
{
    walk->visit(walk->arg, path);
}

/* `get("name")` names what it reads. */
static void walk_call(const struct walk *walk, const struct wf_expr_node *node)
{
    const struct wf_expr_item *first = node->args.first;
    bool gets =
        node->function == wf_expr_find_function(wf_text_of(""), wf_text_of("get"));

    if (gets && node->args.count == 1 && first->node->kind == WF_NODE_LITERAL &&
        first->node->literal.kind == WF_EXPR_STRING) {
        give(walk, first->node->literal.text);
        return;
    }
    for (const struct wf_expr_item *item = first; item != NULL; item = item->next)
        walk_node(walk, item->node);
}

static void walk_suffixes(const struct walk *walk, const struct wf_expr_suffix *suffix)
{
    for (; suffix != NULL; suffix = suffix->next) {
        walk_node(walk, suffix->index);
        for (const struct wf_expr_item *item = suffix->args.first; item != NULL;
             item = item->next)
            walk_node(walk, item->node);
    }
}

/* `a.b.c`: members that follow a name, up to the first method or index. */
static void walk_postfix(const struct walk *walk, const struct wf_expr_node *node)
{
    const struct wf_expr_suffix *suffix = node->suffixes;
    char path[WF_EXPR_CHARS_MAX + 1];
    size_t len;

    if (node->a->kind != WF_NODE_NAME) {
        walk_node(walk, node->a);
        walk_suffixes(walk, suffix);
        return;
    }
    len = node->a->name.len < sizeof(path) ? node->a->name.len : 0;
    memcpy(path, node->a->name.data, len);
    for (; suffix != NULL && suffix->member.len > 0 && suffix->method == NULL &&
           len + suffix->member.len + 1 < sizeof(path);
         suffix = suffix->next) {
        path[len] = '.';
        memcpy(path + len + 1, suffix->member.data, suffix->member.len);
        len += suffix->member.len + 1;
    }
    give(walk, (struct wf_text){ path, len });
    walk_suffixes(walk, suffix);
}

static void walk_node(const struct walk *walk, const struct wf_expr_node *node)
{
    if (node == NULL)
        return;
    switch (node->kind) {
    case WF_NODE_PATH:
    case WF_NODE_NAME:
        give(walk, node->name);
        break;
    case WF_NODE_POSTFIX:
        walk_postfix(walk, node);
        break;
    case WF_NODE_CALL:
    case WF_NODE_ARRAY:
        walk_call(walk, node);
        break;
    case WF_NODE_TERNARY:
    case WF_NODE_UNARY:
    case WF_NODE_CHAIN:
        walk_node(walk, node->a);
        walk_node(walk, node->b);
        walk_node(walk, node->c);
        for (const struct wf_expr_link *link = node->links; link != NULL;
             link = link->next)
            walk_node(walk, link->operand);
        break;
    case WF_NODE_LITERAL:
        break;
    }
}

int wf_expression_names(const char *text, void (*visit)(void *arg, struct wf_text path),
                        void *arg, struct bw_error *err)
{
    struct wf_expr expr = { .arena = { .limit = WF_EXPR_MEMORY_MAX }, .err = err };
    struct walk walk = { visit, arg };
    struct wf_expr_node *tree = NULL;
    int rc = wf_expression_check(text, err);

    if (rc == BW_OK)
        rc = wf_expr_parse(&expr, wf_text_of(text), &tree);
    if (rc == BW_OK)
        walk_node(&walk, tree);
    wf_arena_fini(&expr.arena);
    return rc;
}
