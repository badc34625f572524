/* A text with markup, taken apart: visible characters and the marks around them. Private
 * to markup*.c. */
#ifndef WORKER_TELEGRAM_MARKUP_TOKENS_H
#define WORKER_TELEGRAM_MARKUP_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/error.h>

#define TG_DEPTH_MAX 256 /* marks open at once */

enum tg_token_kind {
    TG_TOKEN_TEXT,  /* one visible code point */
    TG_TOKEN_OPEN,  /* from here on it is bold … */
    TG_TOKEN_CLOSE, /* … to here */
    TG_TOKEN_HIDDEN /* belongs to the mark that is open: the `>` of a quote's next line */
};

/* Borrowed: of the text, or static. Three pieces, so that none has to be built. */
struct tg_mark {
    const char *before;
    const char *at;
    size_t len;
    const char *after;
};

struct tg_token {
    enum tg_token_kind kind;
    const char *raw;
    size_t len;
    uint32_t code;               /* TEXT */
    bool quote;                  /* OPEN: must be at the beginning of a line */
    struct tg_mark open, closed; /* OPEN: how it is opened again and closed at a cut */
};

struct tg_tokens {
    struct tg_token *items;
    size_t count, cap;
    size_t open[TG_DEPTH_MAX]; /* while it is read: the OPEN tokens that are not closed */
    size_t depth;
};

/* Each: BW_OK; BW_EINVAL: Telegram would refuse it; BW_ENOMEM. */
BW_MUSTCHECK int tg_tokens_plain(struct tg_tokens *tokens, const char *text);
BW_MUSTCHECK int tg_tokens_html(struct tg_tokens *tokens, const char *text);
BW_MUSTCHECK int tg_tokens_markdown(struct tg_tokens *tokens, const char *text);
BW_MUSTCHECK int tg_tokens_markdown_v2(struct tg_tokens *tokens, const char *text);
void tg_tokens_fini(struct tg_tokens *tokens);

/* --- for the readers */

/* The code point at `text` (not at its end), and its bytes; of malformed UTF-8 one byte,
 * U+FFFD. */
uint32_t tg_code_point(const char *text, size_t *len);
/* NULL: out of memory. */
struct tg_token *tg_tokens_add(struct tg_tokens *tokens, enum tg_token_kind kind,
                               const char *raw, size_t len);
/* The next code point as it stands, or BW_ENOMEM; `*atp` goes on. */
BW_MUSTCHECK int tg_tokens_add_text(struct tg_tokens *tokens, const char **atp);
/* An OPEN token that is noted as open; NULL: out of memory, or too deep. */
struct tg_token *tg_tokens_push(struct tg_tokens *tokens, const char *raw, size_t len);
/* The innermost that is open, or NULL. */
struct tg_token *tg_tokens_top(const struct tg_tokens *tokens);
/* Closes it. */
BW_MUSTCHECK int tg_tokens_pop(struct tg_tokens *tokens, const char *raw, size_t len);

#endif
