/* Telegram's two kinds of Markdown: the old one, whose marks do not nest and know no
 * escapes inside, and MarkdownV2. */
#include <string.h>

#include "telegram/markup_tokens.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\0';
}

static bool begins(const char *text, const char *mark)
{
    return strncmp(text, mark, strlen(mark)) == 0;
}

static struct tg_mark fixed(const char *text)
{
    return (struct tg_mark){ text, "", 0, "" };
}

/* A character behind its backslash. */
static int add_escaped(struct tg_tokens *tokens, const char **atp)
{
    struct tg_token *token = tg_tokens_add(tokens, TG_TOKEN_TEXT, *atp, 2);

    if (token == NULL)
        return BW_ENOMEM;
    token->code = (unsigned char)(*atp)[1];
    *atp += 2;
    return BW_OK;
}

/* The mark that begins here; its end closes what it opens. */
static int add_open(struct tg_tokens *tokens, const char **atp, size_t len,
                    struct tg_mark open, struct tg_mark closed)
{
    struct tg_token *token;

    if (tokens->depth == TG_DEPTH_MAX)
        return BW_EINVAL;
    token = tg_tokens_push(tokens, *atp, len);
    if (token == NULL)
        return BW_ENOMEM;
    token->open = open;
    token->closed = closed;
    *atp += len;
    return BW_OK;
}

/* ```language and a line's end, which are not seen. Opened again it always has the line's
 * end, so that no text is taken for a language. */
static int add_pre(struct tg_tokens *tokens, const char **atp)
{
    const char *language = *atp + 3, *end = language, *at = language;

    while (!is_space(*end) && *end != '`')
        end++;
    if (end > language && *end != '\0' && *end != '`')
        at = end;
    if (*at == '\n' || *at == '\r')
        at += (at[1] == '\n' || at[1] == '\r') && at[1] != at[0] ? 2 : 1;
    return add_open(tokens, atp, (size_t)(at - *atp),
                    (struct tg_mark){ "```", language,
                                      at > language && end > language && at >= end
                                          ? (size_t)(end - language)
                                          : 0,
                                      "\n" },
                    fixed("```"));
}

/* The end of "(url)" at `at`; NULL: there is none. `escapes`: a backslash hides one. */
static const char *url_end(const char *at, bool escapes)
{
    for (at++; *at != ')'; at++) {
        if (*at == '\0')
            return NULL;
        if (escapes && *at == '\\' && at[1] != '\0')
            at++;
    }
    return at + 1;
}

/* From the bracket on. */
static int add_link_end(struct tg_tokens *tokens, const char **atp, bool escapes)
{
    struct tg_token *top = tg_tokens_top(tokens);
    const char *start = *atp, *end = start + 1;

    if (*end == '(') {
        end = url_end(end, escapes);
        if (end == NULL)
            return BW_EINVAL;
    } else if (*top->raw == '!') {
        return BW_EINVAL;
    }
    top->closed = (struct tg_mark){ "", start, (size_t)(end - start), "" };
    *atp = end;
    return tg_tokens_pop(tokens, start, (size_t)(end - start));
}

/* --- the old kind */

static int add_simple(struct tg_tokens *tokens, const char **atp)
{
    bool pre = begins(*atp, "```");
    char mark = **atp;
    const char *end = mark == '['   ? "]"
                      : pre         ? "```"
                      : mark == '*' ? "*"
                      : mark == '_' ? "_"
                                    : "`";
    int rc = pre ? add_pre(tokens, atp)
                 : add_open(tokens, atp, 1, fixed(mark == '[' ? "[" : end), fixed(end));

    while (rc == BW_OK && **atp != '\0' && !begins(*atp, end))
        rc = tg_tokens_add_text(tokens, atp);
    if (rc != BW_OK)
        return rc;
    if (**atp == '\0')
        return BW_EINVAL;
    if (mark == '[')
        return add_link_end(tokens, atp, false);
    rc = tg_tokens_pop(tokens, *atp, strlen(end));
    *atp += strlen(end);
    return rc;
}

int tg_tokens_markdown(struct tg_tokens *tokens, const char *text)
{
    static const char marks[] = "_*`[";

    while (*text != '\0') {
        int rc = *text == '\\' && text[1] != '\0' && strchr(marks, text[1]) != NULL
                     ? add_escaped(tokens, &text)
                 : strchr(marks, *text) != NULL ? add_simple(tokens, &text)
                                                : tg_tokens_add_text(tokens, &text);

        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}

/* --- MarkdownV2 */

struct reader {
    struct tg_tokens *tokens;
    const char *at;
    bool line_begins;
};

/* The mark the innermost that is open was begun with. */
static const char *inside(const struct reader *reader)
{
    const struct tg_token *top = tg_tokens_top(reader->tokens);

    return top != NULL ? top->raw : "";
}

static bool in_quote(const struct reader *reader)
{
    const struct tg_token *top = tg_tokens_top(reader->tokens);

    return top != NULL && top->quote;
}

static bool any_quote(const struct reader *reader)
{
    const struct tg_tokens *tokens = reader->tokens;

    for (size_t i = 0; i < tokens->depth; i++)
        if (tokens->items[tokens->open[i]].quote)
            return true;
    return false;
}

static int open_quote(struct reader *reader, size_t len)
{
    int rc;

    if (reader->tokens->depth > 0)
        return BW_EINVAL; /* not one that could be opened again */
    rc = add_open(reader->tokens, &reader->at, len, fixed(">"), fixed(""));
    if (rc == BW_OK)
        tg_tokens_top(reader->tokens)->quote = true;
    return rc;
}

/* A quote goes on with the next line's `>`, or is over. */
static int end_line(struct reader *reader)
{
    int rc = tg_tokens_add_text(reader->tokens, &reader->at);

    if (rc != BW_OK || !any_quote(reader)) {
        reader->line_begins = true;
        return rc;
    }
    if (*reader->at == '>') {
        if (tg_tokens_add(reader->tokens, TG_TOKEN_HIDDEN, reader->at, 1) == NULL)
            return BW_ENOMEM;
        reader->at++;
        return BW_OK;
    }
    reader->line_begins = true;
    return in_quote(reader) ? tg_tokens_pop(reader->tokens, reader->at, 0) : BW_EINVAL;
}

/* The sign at the end of a quote that it can be unfolded. */
static int end_expandable(struct reader *reader)
{
    const char *start = reader->at;

    tg_tokens_top(reader->tokens)->closed = fixed("||");
    reader->at += 2;
    return tg_tokens_pop(reader->tokens, start, 2);
}

static const char *mark_at(const char *text)
{
    static const char *const marks[] = { "```", "`", "__", "_", "*", "~", "||" };

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (begins(text, marks[i]))
            return marks[i];
    return NULL;
}

static int close_mark(struct reader *reader, const char *mark)
{
    const char *start = reader->at;

    reader->at += strlen(mark);
    return tg_tokens_pop(reader->tokens, start, strlen(mark));
}

/* Code and pre take everything but their own end; a quote's lines need marks of their
 * own, which they cannot have. */
static int in_code(struct reader *reader, const char *mark)
{
    if (*reader->at == '\n' && any_quote(reader))
        return BW_EINVAL;
    return begins(reader->at, mark) ? close_mark(reader, mark)
                                    : tg_tokens_add_text(reader->tokens, &reader->at);
}

static int add_mark(struct reader *reader, const char *mark)
{
    const struct tg_token *top = tg_tokens_top(reader->tokens);
    const char *after = reader->at + 2;

    if (top != NULL && !top->quote && strcmp(top->closed.before, mark) == 0)
        return close_mark(reader, mark);
    if (strcmp(mark, "||") == 0 && in_quote(reader) && (*after == '\n' || *after == '\0'))
        return end_expandable(reader);
    if (strcmp(mark, "```") == 0)
        return any_quote(reader) ? BW_EINVAL : add_pre(reader->tokens, &reader->at);
    return add_open(reader->tokens, &reader->at, strlen(mark), fixed(mark), fixed(mark));
}

static int add_reserved(struct reader *reader)
{
    bool first = reader->line_begins;
    const char *at = reader->at, *mark = mark_at(at), *top = inside(reader);

    reader->line_begins = false;
    if (*at == '\n')
        return end_line(reader);
    if (first && (*at == '>' || begins(at, "**>")))
        return open_quote(reader, *at == '>' ? 1 : 3);
    if (*at == ']' && (*top == '[' || *top == '!'))
        return add_link_end(reader->tokens, &reader->at, true);
    if (mark != NULL)
        return add_mark(reader, mark);
    if (*at == '[')
        return add_open(reader->tokens, &reader->at, 1, fixed("["), fixed(""));
    if (begins(at, "!["))
        return add_open(reader->tokens, &reader->at, 2, fixed("!["), fixed(""));
    return BW_EINVAL;
}

static int add_next(struct reader *reader)
{
    const char *top = inside(reader);
    unsigned char next = (unsigned char)reader->at[1];

    if (*reader->at == '\\' && next > 0 && next <= 126) {
        reader->line_begins = false;
        return add_escaped(reader->tokens, &reader->at);
    }
    if (*top == '`')
        return in_code(reader, begins(top, "```") ? "```" : "`");
    if (strchr("_*[]()~`>#+-=|{}.!\n", *reader->at) != NULL)
        return add_reserved(reader);
    reader->line_begins = false;
    return tg_tokens_add_text(reader->tokens, &reader->at);
}

int tg_tokens_markdown_v2(struct tg_tokens *tokens, const char *text)
{
    struct reader reader = { tokens, text, true };

    while (*reader.at != '\0') {
        int rc = add_next(&reader);

        if (rc != BW_OK)
            return rc;
    }
    if (in_quote(&reader)) {
        int rc = tg_tokens_pop(tokens, reader.at, 0);

        if (rc != BW_OK)
            return rc;
    }
    return tokens->depth == 0 ? BW_OK : BW_EINVAL;
}
