#include "telegram/markup.h"

#include <stdlib.h>
#include <string.h>

#include <bulwark/buf.h>

#include "telegram/grapheme.h"
#include "telegram/markup_tokens.h"

enum tg_mode tg_mode_of(const char *name)
{
    static const char *const names[] = { [TG_MODE_HTML] = "HTML",
                                         [TG_MODE_MARKDOWN] = "Markdown",
                                         [TG_MODE_MARKDOWN_V2] = "MarkdownV2" };

    for (size_t i = TG_MODE_HTML; name != NULL && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return (enum tg_mode)i;
    return TG_MODE_PLAIN;
}

/* --- reading */

static int read_mode(struct tg_tokens *tokens, enum tg_mode mode, const char *text)
{
    switch (mode) {
    case TG_MODE_HTML:
        return tg_tokens_html(tokens, text);
    case TG_MODE_MARKDOWN:
        return tg_tokens_markdown(tokens, text);
    case TG_MODE_MARKDOWN_V2:
        return tg_tokens_markdown_v2(tokens, text);
    case TG_MODE_PLAIN:
        break;
    }
    return tg_tokens_plain(tokens, text);
}

/* What Telegram does not take as markup is read as it stands: `*mode` says so then. */
static int read_text(struct tg_tokens *tokens, enum tg_mode *mode, const char *text)
{
    int rc = read_mode(tokens, *mode, text);

    if (rc != BW_EINVAL)
        return rc;
    *mode = TG_MODE_PLAIN;
    tg_tokens_fini(tokens);
    return tg_tokens_plain(tokens, text);
}

static size_t units_of(const struct tg_token *token)
{
    if (token->kind != TG_TOKEN_TEXT)
        return 0;
    return token->code > 0xffff ? 2 : 1;
}

static size_t count_units(const struct tg_tokens *tokens)
{
    size_t units = 0;

    for (size_t i = 0; i < tokens->count; i++)
        units += units_of(&tokens->items[i]);
    return units;
}

int tg_markup_units(enum tg_mode mode, const char *text, size_t *units)
{
    struct tg_tokens tokens = { 0 };
    int rc = read_text(&tokens, &mode, text);

    if (rc == BW_OK)
        *units = count_units(&tokens);
    tg_tokens_fini(&tokens);
    return rc;
}

static bool is_space(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a && code != 0x2007) ||
           code == 0x2028 || code == 0x2029 || code == 0x205f || code == 0x3000;
}

static bool is_white(const struct tg_token *token)
{
    return token->kind == TG_TOKEN_TEXT && is_space(token->code);
}

static bool is_black(const struct tg_token *token)
{
    return token->kind == TG_TOKEN_TEXT && !is_space(token->code);
}

/* --- where the visible text may be cut */

static int add_utf8(struct bw_buf *buf, uint32_t code)
{
    char bytes[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(len == 1 ? code : (0xf00U >> len & 0xffU) | code);
    return bw_buf_add(buf, bytes, len);
}

static size_t utf8_len(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

struct cutter {
    enum tg_mode mode;
    struct tg_tokens tokens;
    bool *starts; /* of TEXT: a character as a reader sees it begins here */
    size_t last;  /* behind the last token that is more than white space */
    size_t limit;
    struct tg_parts *parts;

    struct bw_buf out; /* the part being made */
    size_t open[TG_DEPTH_MAX];
    size_t depth;
    const char *mark; /* what was added last, if it was a mark of Markdown; or NULL */
    bool made;        /* … that does not stand in the text */
};

/* A backtick in a pre would be taken for its end, if that came right behind it. */
static bool ends_badly(const struct cutter *cutter, size_t at)
{
    return cutter->mode >= TG_MODE_MARKDOWN && at > 0 &&
           *cutter->tokens.items[at - 1].raw == '`';
}

/* starts[] of the tokens from that of the visible text. */
static void spread(struct cutter *cutter, const bool *bytes)
{
    size_t at = 0;

    for (size_t i = 0; i < cutter->tokens.count; i++) {
        const struct tg_token *token = &cutter->tokens.items[i];

        if (token->kind != TG_TOKEN_TEXT)
            continue;
        cutter->starts[i] = bytes[at] && !ends_badly(cutter, i);
        at += utf8_len(token->code);
        if (is_black(token))
            cutter->last = i + 1;
    }
}

static int find_starts(struct cutter *cutter)
{
    struct bw_buf visible = BW_BUF_INIT;
    bool *bytes = NULL;
    int rc = BW_OK;

    for (size_t i = 0; i < cutter->tokens.count && rc == BW_OK; i++)
        if (cutter->tokens.items[i].kind == TG_TOKEN_TEXT)
            rc = add_utf8(&visible, cutter->tokens.items[i].code);
    cutter->starts = calloc(cutter->tokens.count + 1, sizeof *cutter->starts);
    bytes = calloc(visible.len + 1, sizeof *bytes);
    if (cutter->starts == NULL || bytes == NULL)
        rc = BW_ENOMEM;
    if (rc == BW_OK)
        rc = tg_graphemes(bw_buf_text(&visible), visible.len, bytes);
    if (rc == BW_OK)
        spread(cutter, bytes);
    free(bytes);
    bw_buf_fini(&visible);
    return rc;
}

/* Whether what lies between this white space and the next fits into a part. */
static bool word_fits(const struct cutter *cutter, size_t at)
{
    size_t units = 0;

    for (; at < cutter->tokens.count && !is_white(&cutter->tokens.items[at]); at++)
        units += units_of(&cutter->tokens.items[at]);
    return units <= cutter->limit;
}

struct cuts { /* tokens a part could end before; 0: none such */
    size_t hard, word, line;
    size_t word_used; /* units in front of the word's end */
    bool black;       /* there is more than white space in front */
};

/* What is known before the TEXT token `at`, with `used` units in front of it. */
static void note_cuts(const struct cutter *cutter, struct cuts *cuts,
                      const struct tg_token *before, size_t at, size_t used)
{
    const struct tg_token *token = &cutter->tokens.items[at];

    if (!cutter->starts[at] || before == NULL)
        return;
    cuts->hard = at;
    if (!cuts->black)
        return;
    if (is_white(before) || (is_white(token) && used == cutter->limit)) {
        cuts->word = at;
        cuts->word_used = used;
    }
    if (used >= cutter->limit / 2 &&
        (before->code == '\n' || (token->code == '\n' && used == cutter->limit)))
        cuts->line = at;
}

/* The first token of the next part; the number of tokens: all the rest fits. */
static size_t end_of_part(const struct cutter *cutter, size_t from)
{
    struct cuts cuts = { 0 };
    const struct tg_token *before = NULL;
    size_t used = 0, at;

    for (at = from; at < cutter->tokens.count; at++) {
        const struct tg_token *token = &cutter->tokens.items[at];

        if (token->kind != TG_TOKEN_TEXT)
            continue;
        note_cuts(cutter, &cuts, before, at, used);
        if (used + units_of(token) > cutter->limit)
            break;
        used += units_of(token);
        cuts.black = cuts.black || is_black(token);
        before = token;
    }
    if (at >= cutter->last)
        return at; /* what is left is white space, and dropped */
    if (cuts.line > 0)
        return cuts.line;
    if (cuts.word > 0 &&
        (cuts.word_used >= cutter->limit / 2 || word_fits(cutter, cuts.word)))
        return cuts.word;
    return cuts.hard > 0 ? cuts.hard : at; /* one character of more than the limit */
}

/* --- making a part */

/* A `_` beside a mark that begins with `_` would be read as another one; an empty bold
 * between them is what Telegram's manual says. */
static int separate(struct cutter *cutter, const char *mark, bool made)
{
    bool italic = cutter->mark != NULL && strcmp(cutter->mark, "_") == 0;

    return italic && *mark == '_' && (made || cutter->made)
               ? bw_buf_add_str(&cutter->out, "**")
               : BW_OK;
}

/* The mark as a text of its own, if it is one of Markdown's. */
static const char *bare(const struct tg_mark *mark)
{
    return mark->len == 0 && *mark->before != '\0' ? mark->before : NULL;
}

static int add_made(struct cutter *cutter, const struct tg_mark *mark)
{
    int rc = bare(mark) != NULL ? separate(cutter, bare(mark), true) : BW_OK;

    cutter->mark = bare(mark);
    cutter->made = true;
    if (rc == BW_OK)
        rc = bw_buf_add_str(&cutter->out, mark->before);
    if (rc == BW_OK)
        rc = bw_buf_add(&cutter->out, mark->at, mark->len);
    return rc == BW_OK ? bw_buf_add_str(&cutter->out, mark->after) : rc;
}

static int add_raw(struct cutter *cutter, const struct tg_token *token,
                   const struct tg_mark *mark)
{
    const char *text = mark != NULL && bare(mark) != NULL ? bare(mark) : NULL;
    int rc = text != NULL ? separate(cutter, text, false) : BW_OK;

    cutter->mark = text;
    cutter->made = false;
    return rc == BW_OK ? bw_buf_add(&cutter->out, token->raw, token->len) : rc;
}

static int add_token(struct cutter *cutter, size_t at)
{
    const struct tg_token *token = &cutter->tokens.items[at];
    const struct tg_token *opened;

    switch (token->kind) {
    case TG_TOKEN_OPEN:
        cutter->open[cutter->depth++] = at;
        return add_raw(cutter, token, &token->open);
    case TG_TOKEN_CLOSE:
        opened = &cutter->tokens.items[cutter->open[--cutter->depth]];
        return add_raw(cutter, token, token->len > 0 ? &opened->closed : NULL);
    case TG_TOKEN_TEXT:
    case TG_TOKEN_HIDDEN:
        break;
    }
    return add_raw(cutter, token, NULL);
}

static bool in_quote(const struct cutter *cutter)
{
    return cutter->depth > 0 && cutter->tokens.items[cutter->open[0]].quote;
}

static int open_again(struct cutter *cutter)
{
    int rc = BW_OK;

    for (size_t i = 0; i < cutter->depth && rc == BW_OK; i++)
        rc = add_made(cutter, &cutter->tokens.items[cutter->open[i]].open);
    return rc;
}

static int close_all(struct cutter *cutter)
{
    int rc = BW_OK;

    for (size_t i = cutter->depth; i > 0 && rc == BW_OK; i--)
        rc = add_made(cutter, &cutter->tokens.items[cutter->open[i - 1]].closed);
    return rc;
}

/* What is written between two visible characters of the part. */
static int add_body(struct cutter *cutter, size_t from, size_t end)
{
    bool seen = from == 0;
    int rc = BW_OK;

    for (size_t i = from; i < end && rc == BW_OK; i++) {
        const struct tg_token *token = &cutter->tokens.items[i];

        if (token->kind == TG_TOKEN_HIDDEN && !seen)
            continue; /* it was opened again */
        seen = seen || token->kind == TG_TOKEN_TEXT;
        if (i + 1 == end && end < cutter->tokens.count && in_quote(cutter) &&
            token->code == '\n')
            continue; /* a quote's end must be on its line */
        rc = add_token(cutter, i);
    }
    return rc;
}

static int keep_part(struct cutter *cutter)
{
    struct tg_parts *parts = cutter->parts;
    char **texts = reallocarray(parts->texts, parts->count + 1, sizeof(char *));

    if (texts == NULL)
        return BW_ENOMEM;
    parts->texts = texts;
    texts[parts->count] = strdup(bw_buf_text(&cutter->out));
    if (texts[parts->count] == NULL)
        return BW_ENOMEM;
    parts->count++;
    return BW_OK;
}

/* Marks that close right behind the part are its own. */
static int add_closing(struct cutter *cutter, size_t *atp)
{
    const struct tg_tokens *tokens = &cutter->tokens;
    int rc = BW_OK;

    while (rc == BW_OK && *atp < tokens->count &&
           tokens->items[*atp].kind == TG_TOKEN_CLOSE)
        rc = add_token(cutter, (*atp)++);
    return rc;
}

/* The part from `*atp` on; `*atp` is where the next one begins then: behind the white
 * space at the cut. Marks that open right before the cut belong to the next part. */
static int make_part(struct cutter *cutter, size_t *atp)
{
    const struct tg_tokens *tokens = &cutter->tokens;
    size_t end = end_of_part(cutter, *atp), next;
    bool black = false;
    int rc;

    while (end < tokens->count && end > *atp &&
           tokens->items[end - 1].kind != TG_TOKEN_TEXT)
        end--;
    next = end;
    for (size_t i = *atp; i < end; i++)
        black = black || is_black(&tokens->items[i]);
    bw_buf_clear(&cutter->out);
    cutter->mark = NULL;
    rc = open_again(cutter);
    if (rc == BW_OK)
        rc = add_body(cutter, *atp, end);
    if (rc == BW_OK)
        rc = add_closing(cutter, &next);
    if (rc == BW_OK && next < tokens->count && is_white(&tokens->items[next])) {
        next++;
        rc = add_closing(cutter, &next);
    }
    if (rc == BW_OK)
        rc = close_all(cutter);
    if (rc == BW_OK && black)
        rc = keep_part(cutter);
    *atp = next;
    return rc;
}

static int cut(struct cutter *cutter)
{
    int rc = find_starts(cutter);

    for (size_t at = 0; at < cutter->tokens.count && rc == BW_OK;)
        rc = make_part(cutter, &at);
    return rc;
}

static int keep_whole(struct tg_parts *parts, const char *text)
{
    parts->texts = calloc(1, sizeof(char *));
    if (parts->texts == NULL)
        return BW_ENOMEM;
    parts->texts[0] = strdup(text);
    parts->count = 1;
    return parts->texts[0] != NULL ? BW_OK : BW_ENOMEM;
}

int tg_markup_split(struct tg_parts *parts, enum tg_mode mode, const char *text,
                    size_t limit)
{
    struct cutter cutter = {
        .mode = mode, .limit = limit, .parts = parts, .out = BW_BUF_INIT
    };
    int rc = read_text(&cutter.tokens, &cutter.mode, text);

    *parts = (struct tg_parts){ 0 };
    if (rc == BW_OK)
        rc =
            count_units(&cutter.tokens) <= limit ? keep_whole(parts, text) : cut(&cutter);
    if (rc == BW_OK && parts->count == 0) /* nothing but white space */
        rc = keep_whole(parts, text);
    tg_tokens_fini(&cutter.tokens);
    free(cutter.starts);
    bw_buf_fini(&cutter.out);
    if (rc != BW_OK)
        tg_parts_fini(parts);
    return rc;
}

void tg_parts_fini(struct tg_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        free(parts->texts[i]);
    free(parts->texts);
    *parts = (struct tg_parts){ 0 };
}
