#include "workflow/language/expression/lex.h"

#include <string.h>

#include "workflow/language/expression/value.h"
#include "workflow/language/number.h"
#include "workflow/language/path.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           (unsigned char)c >=
               0x80; /* names may be in any script; white space was skipped */
}

static struct wf_text rest_of(const struct wf_expr_lexer *lexer)
{
    return (struct wf_text){ lexer->text.data + lexer->at, lexer->text.len - lexer->at };
}

/* Not at the end. */
static bool at_word(const struct wf_expr_lexer *lexer, const char *word)
{
    return lexer->text.data[lexer->at] == word[0] && /* asked for every sign there is */
           wf_text_has(rest_of(lexer), wf_text_of(word), WF_TEXT_START, false);
}

static void skip_space(struct wf_expr_lexer *lexer)
{
    while (lexer->at < lexer->text.len) {
        size_t next = lexer->at;

        if (!wf_text_is_space(wf_text_next(lexer->text, &next)))
            return;
        lexer->at = next;
    }
}

static int unexpected(const struct wf_expr_lexer *lexer)
{
    size_t end = 0;

    (void)wf_text_next(rest_of(lexer), &end);
    return wf_expr_fail(lexer->expr, "Unexpected token '%.*s'", (int)end,
                        rest_of(lexer).data);
}

/* ---- numbers ---- */

static size_t hex_length(struct wf_text text)
{
    size_t at = 2;

    if (text.len < 3 || text.data[0] != '0' || (text.data[1] | 0x20) != 'x')
        return 0;
    while (at < text.len && strchr("0123456789abcdefABCDEF", text.data[at]) != NULL)
        at++;
    return at > 2 ? at : 0;
}

static int lex_number(struct wf_expr_lexer *lexer, struct wf_expr_token *token)
{
    struct wf_text rest = rest_of(lexer);
    size_t len = hex_length(rest);

    token->kind = WF_TOKEN_NUMBER;
    if (len > 0)
        token->number = wf_number_parse((struct wf_text){ rest.data, len });
    else
        len = wf_number_scan(rest, &token->number);
    if (len < rest.len && (is_name_start(rest.data[len]) || is_digit(rest.data[len])))
        return wf_expr_fail(lexer->expr, "Invalid number");
    if (len > 1 && rest.data[0] == '0' && is_digit(rest.data[1]))
        return wf_expr_fail(lexer->expr, "Invalid number"); /* 010 is eight to some */
    token->text = (struct wf_text){ rest.data, len };
    lexer->at += len;
    return BW_OK;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* Four hex digits behind `\u`. */
static int lex_unicode(struct wf_expr_lexer *lexer, uint32_t *code)
{
    struct wf_text rest = rest_of(lexer);

    *code = 0;
    if (rest.len < 4)
        return wf_expr_fail(lexer->expr, "Invalid Unicode escape sequence");
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(rest.data[i]);

        if (digit < 0)
            return wf_expr_fail(lexer->expr, "Invalid Unicode escape sequence");
        *code = *code << 4 | (uint32_t)digit;
    }
    lexer->at += 4;
    return BW_OK;
}

/* The character that the escape at `at`, behind the backslash, stands for. */
static int lex_escape(struct wf_expr_lexer *lexer, char out[4], size_t *len)
{
    static const char names[] = "ntrbfv";
    static const char values[] = "\n\t\r\b\f\v";
    char c = lexer->at < lexer->text.len ? lexer->text.data[lexer->at] : '\0';
    const char *found = c != '\0' ? strchr(names, c) : NULL;
    uint32_t code;
    int rc;

    *len = 1;
    if (found != NULL) {
        out[0] = values[found - names];
    } else if (c == 'u') {
        lexer->at++;
        rc = lex_unicode(lexer, &code);
        if (rc == BW_OK)
            *len = wf_text_encode(code, out);
        return rc;
    } else if (c == '\0' || c == '\n' || is_digit(c) || is_name_start(c)) {
        return wf_expr_fail(lexer->expr, "Invalid escape sequence");
    } else {
        out[0] = c;
    }
    lexer->at++;
    return BW_OK;
}

static int lex_string(struct wf_expr_lexer *lexer, struct wf_expr_token *token)
{
    struct bw_buf text = BW_BUF_INIT;
    char quote = lexer->text.data[lexer->at++];
    int rc = BW_OK;

    token->kind = WF_TOKEN_STRING;
    while (rc == BW_OK) {
        char c = lexer->at < lexer->text.len ? lexer->text.data[lexer->at] : '\n';
        char escaped[4];
        size_t len;

        if (c == '\n' || c == '\r') {
            rc = wf_expr_fail(lexer->expr, "Unterminated string");
            break;
        }
        lexer->at++;
        if (c == quote)
            break;
        if (c != '\\') {
            rc = bw_buf_add_char(&text, c);
            continue;
        }
        rc = lex_escape(lexer, escaped, &len);
        if (rc == BW_OK)
            rc = bw_buf_add(&text, escaped, len);
    }
    return wf_expr_take(lexer->expr, &text, rc, &token->text);
}

/* ---- the rest ---- */

static int lex_path(struct wf_expr_lexer *lexer, struct wf_expr_token *token)
{
    struct wf_text rest = rest_of(lexer);
    size_t end = 2;

    while (end < rest.len && strchr("{}\n", rest.data[end]) == NULL)
        end++;
    if (end + 1 >= rest.len || rest.data[end] != '}' || rest.data[end + 1] != '}')
        return unexpected(lexer);
    token->kind = WF_TOKEN_PATH;
    token->text = (struct wf_text){ rest.data + 2, end - 2 };
    lexer->at += end + 2;
    return BW_OK;
}

static void lex_name(struct wf_expr_lexer *lexer, struct wf_expr_token *token)
{
    size_t from = lexer->at;

    while (lexer->at < lexer->text.len && (is_name_start(lexer->text.data[lexer->at]) ||
                                           is_digit(lexer->text.data[lexer->at]))) {
        size_t next = lexer->at;

        if (wf_text_is_space(wf_text_next(lexer->text, &next)))
            break;
        lexer->at = next;
    }
    token->kind = WF_TOKEN_NAME;
    token->text = (struct wf_text){ lexer->text.data + from, lexer->at - from };
}

static int lex_sign(struct wf_expr_lexer *lexer, struct wf_expr_token *token)
{
    static const char *const refused[] = { "++", "--", "**", "=>", "?." };
    static const char *const signs[] = {
        "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "??", "?", ":", "(", ")",
        "[",   "]",   ",",  ".",  "+",  "-",  "*",  "/",  "%",  "!", "<", ">", ";",
    };

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (at_word(lexer, refused[i]) &&
            !(refused[i][0] == '?' && lexer->at + 2 < lexer->text.len &&
              is_digit(lexer->text.data[lexer->at + 2]))) /* x?.5:1 */
            return wf_expr_fail(lexer->expr, "Unexpected token '%s'", refused[i]);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!at_word(lexer, signs[i]))
            continue;
        token->kind = WF_TOKEN_SIGN;
        token->text = wf_text_of(signs[i]);
        lexer->at += token->text.len;
        return BW_OK;
    }
    return unexpected(lexer);
}

int wf_expr_lex(struct wf_expr_lexer *lexer, struct wf_expr_token *token)
{
    char c;

    skip_space(lexer);
    *token = (struct wf_expr_token){ .kind = WF_TOKEN_END, .text = { "", 0 } };
    if (lexer->at >= lexer->text.len)
        return BW_OK;
    c = lexer->text.data[lexer->at];
    if (c == '"' || c == '\'')
        return lex_string(lexer, token);
    if (is_digit(c) || (c == '.' && wf_number_scan(rest_of(lexer), NULL) > 0))
        return lex_number(lexer, token);
    if (at_word(lexer, "{{"))
        return lex_path(lexer, token);
    if (!is_name_start(c))
        return lex_sign(lexer, token);
    lex_name(lexer, token);
    return BW_OK;
}
