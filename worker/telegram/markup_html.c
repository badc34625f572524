/* Telegram's HTML: a few tags, no others; entities; everything is closed in order. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "telegram/markup_tokens.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\v' || c == '\0';
}

/* --- entities */

static uint32_t named(const char *name, size_t len)
{
    static const struct {
        const char *name;
        uint32_t code;
    } rows[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return rows[i].code;
    return 0;
}

static uint32_t numbered(const char *text, size_t *len)
{
    bool hex = text[2] == 'x';
    size_t at = hex ? 3 : 2;
    uint32_t code = 0;

    for (; hex ? isxdigit((unsigned char)text[at]) : isdigit((unsigned char)text[at]);
         at++) {
        int c = tolower((unsigned char)text[at]);

        if (at >= 10)
            return 0;
        code = code * (hex ? 16 : 10) + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *len = at;
    return at < 10 && code < 0x10ffff && !(code >= 0xd800 && code < 0xe000) ? code : 0;
}

/* The code point of the entity at `text`, a `&`; 0: it is none, and stands for itself.
 * The semicolon may be missing. */
static uint32_t entity(const char *text, size_t *len)
{
    size_t end = 1;
    uint32_t code;

    if (text[1] == '#') {
        code = numbered(text, &end);
    } else {
        while (isalpha((unsigned char)text[end]))
            end++;
        code = named(text + 1, end - 1);
    }
    *len = end + (text[end] == ';' ? 1 : 0);
    return code;
}

static int add_entity(struct tg_tokens *tokens, const char **atp)
{
    size_t len;
    uint32_t code = entity(*atp, &len);
    struct tg_token *token;

    if (code == 0)
        return tg_tokens_add_text(tokens, atp);
    token = tg_tokens_add(tokens, TG_TOKEN_TEXT, *atp, len);
    if (token == NULL)
        return BW_ENOMEM;
    token->code = code;
    *atp += len;
    return BW_OK;
}

/* --- tags */

struct word {
    const char *at;
    size_t len;
};

static bool is(struct word word, const char *text)
{
    return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

static bool is_known(struct word name)
{
    static const char *const names[] = { "a",   "b",          "strong",   "i",
                                         "em",  "s",          "strike",   "del",
                                         "u",   "ins",        "span",     "tg-spoiler",
                                         "pre", "blockquote", "tg-emoji", "code" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is(name, names[i]))
            return true;
    return false;
}

static const char *skip_spaces(const char *at)
{
    while (*at != '\0' && is_space(*at))
        at++;
    return at;
}

/* The attribute's value at `at`; NULL: there is none that Telegram takes. */
static const char *read_value(const char *at, struct word *value)
{
    char quote = *at;
    const char *end;

    if (quote == '\'' || quote == '"') {
        end = strchr(at + 1, quote);
        if (end == NULL)
            return NULL;
        *value = (struct word){ at + 1, (size_t)(end - at) - 1 };
        return end + 1;
    }
    for (end = at; isalnum((unsigned char)*end) || *end == '.' || *end == '-'; end++)
        ;
    *value = (struct word){ at, (size_t)(end - at) };
    return end > at && (is_space(*end) || *end == '>') && *end != '\0' ? end : NULL;
}

/* What the tags `span` and `tg-emoji` must have. */
struct needs {
    bool spoiler, emoji;
};

/* One attribute; NULL: not well formed. */
static const char *read_attribute(const char *at, struct needs *needs)
{
    struct word name = { at, 0 }, value = { at, 0 };

    while (!is_space(*at) && *at != '=' && *at != '>')
        at++;
    name.len = (size_t)(at - name.at);
    if (name.len == 0)
        return NULL;
    at = skip_spaces(at);
    if (*at != '=')
        return *at != '\0' ? at : NULL; /* without a value */
    at = read_value(skip_spaces(at + 1), &value);
    if (is(name, "class") && is(value, "tg-spoiler"))
        needs->spoiler = true;
    if (is(name, "emoji-id") && value.len > 0)
        needs->emoji = true;
    return at;
}

static int add_open(struct tg_tokens *tokens, const char **atp)
{
    const char *start = *atp, *at = start + 1;
    struct word name = { at, 0 };
    struct needs needs = { false, false };
    struct tg_token *token;

    while (!is_space(*at) && *at != '>')
        at++;
    name.len = (size_t)(at - name.at);
    if (!is_known(name))
        return BW_EINVAL;
    for (at = skip_spaces(at); *at != '>'; at = skip_spaces(at)) {
        at = *at != '\0' ? read_attribute(at, &needs) : NULL;
        if (at == NULL)
            return BW_EINVAL;
    }
    if ((is(name, "span") && !needs.spoiler) || (is(name, "tg-emoji") && !needs.emoji) ||
        tokens->depth == TG_DEPTH_MAX)
        return BW_EINVAL;
    at++;
    token = tg_tokens_push(tokens, start, (size_t)(at - start));
    if (token == NULL)
        return BW_ENOMEM;
    token->open = (struct tg_mark){ "", start, (size_t)(at - start), "" };
    token->closed = (struct tg_mark){ "</", name.at, name.len, ">" };
    *atp = at;
    return BW_OK;
}

static int add_close(struct tg_tokens *tokens, const char **atp)
{
    const struct tg_token *top = tg_tokens_top(tokens);
    const char *start = *atp, *at = start + 2;
    struct word name = { at, 0 };

    while (!is_space(*at) && *at != '>')
        at++;
    name.len = (size_t)(at - name.at);
    at = skip_spaces(at);
    if (top == NULL || *at != '>')
        return BW_EINVAL;
    if (name.len > 0 && (name.len != top->closed.len ||
                         strncasecmp(name.at, top->closed.at, name.len) != 0))
        return BW_EINVAL;
    *atp = at + 1;
    return tg_tokens_pop(tokens, start, (size_t)(at + 1 - start));
}

int tg_tokens_html(struct tg_tokens *tokens, const char *text)
{
    while (*text != '\0') {
        int rc = *text == '&'     ? add_entity(tokens, &text)
                 : *text != '<'   ? tg_tokens_add_text(tokens, &text)
                 : text[1] == '/' ? add_close(tokens, &text)
                                  : add_open(tokens, &text);

        if (rc != BW_OK)
            return rc;
    }
    return tokens->depth == 0 ? BW_OK : BW_EINVAL;
}
