/* Recursive descent over the grammar of worker/workflow/spec/workflow.md §7.3; chains of
 * one level are lists, so that only nesting costs stack. */
#include "workflow/language/expression/parse.h"

#include <string.h>

#include "workflow/language/expression/call.h"
#include "workflow/language/expression/lex.h"
#include "workflow/language/expression/method.h"

struct parser {
    struct wf_expr *expr;
    struct wf_expr_lexer lexer;
    struct wf_expr_token token; /* the one to be read next */
};

static int parse_expr(struct parser *parser, struct wf_expr_node **out);

/* ---- tokens ---- */

static int advance(struct parser *parser)
{
    return wf_expr_lex(&parser->lexer, &parser->token);
}

static bool at(const struct parser *parser, enum wf_expr_token_kind kind,
               const char *text)
{
    const struct wf_text *token = &parser->token.text;

    return parser->token.kind == kind && token->data[0] == text[0] && /* asked often */
           wf_text_equal(*token, wf_text_of(text));
}

static bool at_sign(const struct parser *parser, const char *text)
{
    return at(parser, WF_TOKEN_SIGN, text);
}

static int unexpected(const struct parser *parser)
{
    const struct wf_expr_token *token = &parser->token;

    if (token->kind == WF_TOKEN_END)
        return wf_expr_fail(parser->expr, "Unexpected end of expression");
    if (token->kind == WF_TOKEN_STRING)
        return wf_expr_fail(parser->expr, "Unexpected string");
    return wf_expr_fail(parser->expr, "Unexpected token '%.*s'", (int)token->text.len,
                        token->text.data);
}

static int expect(struct parser *parser, const char *sign)
{
    return at_sign(parser, sign) ? advance(parser) : unexpected(parser);
}

/* ---- nodes ---- */

static int new_node(struct parser *parser, enum wf_expr_node_kind kind,
                    struct wf_expr_node **out)
{
    int rc = wf_expr_alloc(parser->expr, sizeof **out, out);

    if (rc == BW_OK)
        (*out)->kind = kind;
    return rc;
}

static int new_literal(struct parser *parser, struct wf_expr_value value,
                       struct wf_expr_node **out)
{
    int rc = new_node(parser, WF_NODE_LITERAL, out);

    if (rc == BW_OK)
        (*out)->literal = value;
    return rc == BW_OK ? advance(parser) : rc;
}

/* Guards the recursion; left again with leave(). */
static int enter(struct parser *parser)
{
    if (++parser->expr->depth > WF_EXPR_DEPTH_MAX)
        return wf_expr_fail(parser->expr, "Expression exceeds maximum depth of %d",
                            WF_EXPR_DEPTH_MAX);
    return BW_OK;
}

static void leave(struct parser *parser)
{
    parser->expr->depth--;
}

/* ---- lists ---- */

/* One expression at the end of the list; `*end` moves on. */
static int parse_item(struct parser *parser, struct wf_expr_args *args,
                      struct wf_expr_item ***end)
{
    int rc = wf_expr_alloc(parser->expr, sizeof ***end, *end);

    if (rc == BW_OK)
        rc = parse_expr(parser, &(**end)->node);
    if (rc != BW_OK)
        return rc;
    *end = &(**end)->next;
    args->count++;
    return BW_OK;
}

/* Expressions separated by commas up to `close`, which is consumed. */
static int parse_list(struct parser *parser, const char *close, struct wf_expr_args *args)
{
    struct wf_expr_item **end = &args->first;
    int rc = BW_OK;

    if (at_sign(parser, close))
        return advance(parser);
    rc = parse_item(parser, args, &end);
    while (rc == BW_OK && at_sign(parser, ",")) {
        rc = advance(parser);
        if (rc == BW_OK)
            rc = parse_item(parser, args, &end);
    }
    return rc == BW_OK ? expect(parser, close) : rc;
}

/* ---- names ---- */

static bool is_one_of(struct wf_text text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (wf_text_equal(text, wf_text_of(*words)))
            return true;
    return false;
}

static bool is_reserved(struct wf_text name)
{
    static const char *const words[] = {
        "new",        "function", "class",    "this",    "delete", "void",  "in",
        "instanceof", "var",      "let",      "const",   "if",     "else",  "for",
        "while",      "do",       "return",   "throw",   "try",    "catch", "switch",
        "case",       "break",    "continue", "import",  "export", "super", "with",
        "debugger",   "enum",     "eval",     "default", "await",  "yield", "extends",
        "finally",    NULL,
    };

    return is_one_of(name, words);
}

/* Not members of data, and a sign that someone looks for host objects. */
static int refuse_host_name(struct parser *parser, struct wf_text name)
{
    static const char *const words[] = {
        "constructor",      "prototype",        "__proto__",        "__defineGetter__",
        "__defineSetter__", "__lookupGetter__", "__lookupSetter__", NULL,
    };

    if (!is_one_of(name, words))
        return BW_OK;
    return wf_expr_fail(parser->expr, "%.*s is not allowed", (int)name.len, name.data);
}

static int parse_call(struct parser *parser, struct wf_text space, struct wf_text name,
                      struct wf_expr_node **out)
{
    int rc = new_node(parser, WF_NODE_CALL, out);

    if (rc != BW_OK)
        return rc;
    (*out)->function = wf_expr_find_function(space, name);
    if ((*out)->function == NULL)
        return wf_expr_fail(parser->expr, "%.*s%s%.*s is not a function", (int)space.len,
                            space.data, space.len > 0 ? "." : "", (int)name.len,
                            name.data);
    rc = expect(parser, "(");
    return rc == BW_OK ? parse_list(parser, ")", &(*out)->args) : rc;
}

static bool is_space(struct wf_text name)
{
    static const char *const words[] = { "Math", "Date", "Array", "Object", NULL };

    return is_one_of(name, words);
}

/* `Math` means nothing but the name before one of its functions. */
static int parse_space_call(struct parser *parser, struct wf_text space,
                            struct wf_expr_node **out)
{
    struct wf_text name;
    int rc = expect(parser, ".");

    if (rc != BW_OK)
        return rc;
    if (parser->token.kind != WF_TOKEN_NAME)
        return unexpected(parser);
    name = parser->token.text;
    rc = advance(parser);
    return rc == BW_OK ? parse_call(parser, space, name, out) : rc;
}

static int parse_name(struct parser *parser, struct wf_expr_node **out)
{
    struct wf_text name = parser->token.text;
    int rc;

    if (is_reserved(name))
        return unexpected(parser);
    rc = refuse_host_name(parser, name);
    if (rc == BW_OK)
        rc = advance(parser);
    if (rc != BW_OK)
        return rc;
    if (at_sign(parser, "("))
        return parse_call(parser, wf_text_of(""), name, out);
    if (is_space(name) && at_sign(parser, "."))
        return parse_space_call(parser, name, out);
    rc = new_node(parser, WF_NODE_NAME, out);
    if (rc == BW_OK)
        (*out)->name = name;
    return rc;
}

/* ---- primaries ---- */

static int parse_word(struct parser *parser, struct wf_expr_node **out)
{
    if (at(parser, WF_TOKEN_NAME, "true"))
        return new_literal(parser, wf_expr_boolean(true), out);
    if (at(parser, WF_TOKEN_NAME, "false"))
        return new_literal(parser, wf_expr_boolean(false), out);
    if (at(parser, WF_TOKEN_NAME, "null"))
        return new_literal(parser, (struct wf_expr_value){ .kind = WF_EXPR_NULL }, out);
    if (at(parser, WF_TOKEN_NAME, "undefined"))
        return new_literal(parser, wf_expr_undefined(), out);
    if (at(parser, WF_TOKEN_NAME, "NaN"))
        return new_literal(parser, wf_expr_number(__builtin_nan("")), out);
    return parse_name(parser, out);
}

static int parse_group(struct parser *parser, struct wf_expr_node **out)
{
    int rc = advance(parser);

    if (rc == BW_OK)
        rc = parse_expr(parser, out);
    return rc == BW_OK ? expect(parser, ")") : rc;
}

static int parse_array(struct parser *parser, struct wf_expr_node **out)
{
    int rc = new_node(parser, WF_NODE_ARRAY, out);

    if (rc == BW_OK)
        rc = advance(parser);
    return rc == BW_OK ? parse_list(parser, "]", &(*out)->args) : rc;
}

static int parse_path(struct parser *parser, struct wf_expr_node **out)
{
    int rc = new_node(parser, WF_NODE_PATH, out);

    if (rc != BW_OK)
        return rc;
    (*out)->name = parser->token.text;
    return advance(parser);
}

static int parse_primary(struct parser *parser, struct wf_expr_node **out)
{
    switch (parser->token.kind) {
    case WF_TOKEN_NUMBER:
        return new_literal(parser, wf_expr_number(parser->token.number), out);
    case WF_TOKEN_STRING:
        return new_literal(parser, wf_expr_text(parser->token.text), out);
    case WF_TOKEN_NAME:
        return parse_word(parser, out);
    case WF_TOKEN_PATH:
        return parse_path(parser, out);
    case WF_TOKEN_SIGN:
        if (at_sign(parser, "("))
            return parse_group(parser, out);
        if (at_sign(parser, "["))
            return parse_array(parser, out);
        break;
    case WF_TOKEN_END:
        break;
    }
    return unexpected(parser);
}

/* ---- postfix ---- */

static int parse_member(struct parser *parser, struct wf_expr_suffix *suffix)
{
    struct wf_text name;
    int rc = advance(parser);

    if (rc != BW_OK)
        return rc;
    if (parser->token.kind != WF_TOKEN_NAME)
        return unexpected(parser);
    name = parser->token.text;
    rc = refuse_host_name(parser, name);
    if (rc == BW_OK)
        rc = advance(parser);
    if (rc != BW_OK || !at_sign(parser, "(")) {
        suffix->member = name;
        return rc;
    }
    suffix->method = wf_expr_find_method(name);
    if (suffix->method == NULL)
        return wf_expr_fail(parser->expr, "%.*s is not a function", (int)name.len,
                            name.data);
    rc = advance(parser);
    return rc == BW_OK ? parse_list(parser, ")", &suffix->args) : rc;
}

static int parse_index(struct parser *parser, struct wf_expr_suffix *suffix)
{
    int rc = advance(parser);

    if (rc == BW_OK)
        rc = parse_expr(parser, &suffix->index);
    return rc == BW_OK ? expect(parser, "]") : rc;
}

static int parse_postfix(struct parser *parser, struct wf_expr_node **out)
{
    struct wf_expr_suffix **end = NULL;
    struct wf_expr_node *base;
    int rc = parse_primary(parser, out);

    while (rc == BW_OK && (at_sign(parser, ".") || at_sign(parser, "["))) {
        bool member = at_sign(parser, ".");

        if (end == NULL) {
            base = *out;
            rc = new_node(parser, WF_NODE_POSTFIX, out);
            if (rc != BW_OK)
                return rc;
            (*out)->a = base;
            end = &(*out)->suffixes;
        }
        rc = wf_expr_alloc(parser->expr, sizeof **end, end);
        if (rc == BW_OK)
            rc = member ? parse_member(parser, *end) : parse_index(parser, *end);
        if (rc == BW_OK)
            end = &(*end)->next;
    }
    return rc;
}

/* ---- unary ---- */

static bool at_unary(const struct parser *parser, enum wf_expr_op *op)
{
    static const struct {
        enum wf_expr_token_kind kind;
        const char *text;
        enum wf_expr_op op;
    } unary[] = {
        { WF_TOKEN_SIGN, "!", WF_OP_NOT },         { WF_TOKEN_SIGN, "-", WF_OP_NEGATE },
        { WF_TOKEN_SIGN, "+", WF_OP_PLUS },        { WF_TOKEN_NAME, "NOT", WF_OP_NOT },
        { WF_TOKEN_NAME, "typeof", WF_OP_TYPEOF },
    };

    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++) {
        if (!at(parser, unary[i].kind, unary[i].text))
            continue;
        *op = unary[i].op;
        return true;
    }
    return false;
}

static int parse_unary(struct parser *parser, struct wf_expr_node **out)
{
    enum wf_expr_op op;
    int rc;

    if (!at_unary(parser, &op))
        return parse_postfix(parser, out);
    rc = enter(parser);
    if (rc == BW_OK)
        rc = new_node(parser, WF_NODE_UNARY, out);
    if (rc == BW_OK)
        rc = advance(parser);
    if (rc == BW_OK) {
        (*out)->op = op;
        rc = parse_unary(parser, &(*out)->a);
    }
    leave(parser);
    return rc;
}

/* ---- binary levels, the loosest first ---- */

struct binary {
    int level;
    enum wf_expr_token_kind kind;
    const char *text;
    enum wf_expr_op op;
};

static const struct binary binaries[] = {
    { 0, WF_TOKEN_SIGN, "||", WF_OP_OR },
    { 0, WF_TOKEN_SIGN, "??", WF_OP_COALESCE },
    { 0, WF_TOKEN_NAME, "OR", WF_OP_OR },
    { 1, WF_TOKEN_SIGN, "&&", WF_OP_AND },
    { 1, WF_TOKEN_NAME, "AND", WF_OP_AND },
    { 2, WF_TOKEN_SIGN, "===", WF_OP_SAME },
    { 2, WF_TOKEN_SIGN, "!==", WF_OP_NOT_SAME },
    { 2, WF_TOKEN_SIGN, "==", WF_OP_EQUAL },
    { 2, WF_TOKEN_SIGN, "!=", WF_OP_NOT_EQUAL },
    { 3, WF_TOKEN_SIGN, "<=", WF_OP_LESS_EQUAL },
    { 3, WF_TOKEN_SIGN, ">=", WF_OP_GREATER_EQUAL },
    { 3, WF_TOKEN_SIGN, "<", WF_OP_LESS },
    { 3, WF_TOKEN_SIGN, ">", WF_OP_GREATER },
    { 4, WF_TOKEN_SIGN, "+", WF_OP_ADD },
    { 4, WF_TOKEN_SIGN, "-", WF_OP_SUBTRACT },
    { 5, WF_TOKEN_SIGN, "*", WF_OP_MULTIPLY },
    { 5, WF_TOKEN_SIGN, "/", WF_OP_DIVIDE },
    { 5, WF_TOKEN_SIGN, "%", WF_OP_REMAINDER },
};

#define LEVELS 6

static const struct binary *at_binary(const struct parser *parser, int level)
{
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        if (binaries[i].level == level && at(parser, binaries[i].kind, binaries[i].text))
            return &binaries[i];
    return NULL;
}

static int parse_level(struct parser *parser, int level, struct wf_expr_node **out)
{
    const struct binary *binary;
    struct wf_expr_link **end;
    struct wf_expr_node *first;
    int rc;

    if (level == LEVELS)
        return parse_unary(parser, out);
    rc = parse_level(parser, level + 1, &first);
    if (rc != BW_OK)
        return rc;
    *out = first;
    if (at_binary(parser, level) == NULL)
        return BW_OK;
    rc = new_node(parser, WF_NODE_CHAIN, out);
    if (rc != BW_OK)
        return rc;
    (*out)->a = first;
    end = &(*out)->links;
    while (rc == BW_OK && (binary = at_binary(parser, level)) != NULL) {
        rc = wf_expr_alloc(parser->expr, sizeof **end, end);
        if (rc == BW_OK)
            rc = advance(parser);
        if (rc != BW_OK)
            break;
        (*end)->op = binary->op;
        rc = parse_level(parser, level + 1, &(*end)->operand);
        end = &(*end)->next;
    }
    return rc;
}

static int parse_ternary(struct parser *parser, struct wf_expr_node **out)
{
    struct wf_expr_node *condition = *out;
    int rc = new_node(parser, WF_NODE_TERNARY, out);

    if (rc == BW_OK)
        rc = advance(parser);
    if (rc != BW_OK)
        return rc;
    (*out)->a = condition;
    rc = parse_expr(parser, &(*out)->b);
    if (rc == BW_OK)
        rc = expect(parser, ":");
    return rc == BW_OK ? parse_expr(parser, &(*out)->c) : rc;
}

static int parse_expr(struct parser *parser, struct wf_expr_node **out)
{
    int rc = enter(parser);

    if (rc == BW_OK)
        rc = parse_level(parser, 0, out);
    if (rc == BW_OK && at_sign(parser, "?"))
        rc = parse_ternary(parser, out);
    leave(parser);
    return rc;
}

int wf_expr_parse(struct wf_expr *expr, struct wf_text text, struct wf_expr_node **tree)
{
    struct parser parser = { .expr = expr, .lexer = { expr, text, 0 } };
    int rc;

    if (wf_text_units(text) > WF_EXPR_CHARS_MAX)
        return wf_expr_fail(expr, "Expression exceeds maximum length of %d characters",
                            WF_EXPR_CHARS_MAX);
    rc = advance(&parser);
    if (rc == BW_OK)
        rc = parse_expr(&parser, tree);
    while (rc == BW_OK && at_sign(&parser, ";"))
        rc = advance(&parser);
    if (rc == BW_OK && parser.token.kind != WF_TOKEN_END)
        rc = unexpected(&parser);
    return rc;
}
