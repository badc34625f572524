#include "telegram/markup_tokens.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffd

void tg_tokens_fini(struct tg_tokens *tokens)
{
    free(tokens->items);
    *tokens = (struct tg_tokens){ 0 };
}

uint32_t tg_code_point(const char *text, size_t *len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t bytes = at[0] < 0x80                    ? 1
                   : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                   : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                   : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                   : 0;
    uint32_t code;

    *len = 1;
    if (bytes == 1)
        return at[0];
    if (bytes == 0)
        return REPLACEMENT;
    code = at[0] & (0x7fU >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return REPLACEMENT; /* the NUL at the end, too */
        code = code << 6 | (at[i] & 0x3fU);
    }
    *len = bytes;
    return code;
}

struct tg_token *tg_tokens_add(struct tg_tokens *tokens, enum tg_token_kind kind,
                               const char *raw, size_t len)
{
    if (tokens->count == tokens->cap) {
        size_t cap = tokens->cap > 0 ? tokens->cap * 2 : 256;
        struct tg_token *items =
            reallocarray(tokens->items, cap, sizeof(struct tg_token));

        if (items == NULL)
            return NULL;
        tokens->items = items;
        tokens->cap = cap;
    }
    tokens->items[tokens->count] =
        (struct tg_token){ .kind = kind, .raw = raw, .len = len };
    return &tokens->items[tokens->count++];
}

int tg_tokens_add_text(struct tg_tokens *tokens, const char **atp)
{
    size_t len;
    uint32_t code = tg_code_point(*atp, &len);
    struct tg_token *token = tg_tokens_add(tokens, TG_TOKEN_TEXT, *atp, len);

    if (token == NULL)
        return BW_ENOMEM;
    token->code = code;
    *atp += len;
    return BW_OK;
}

struct tg_token *tg_tokens_push(struct tg_tokens *tokens, const char *raw, size_t len)
{
    struct tg_token *token = tokens->depth < TG_DEPTH_MAX
                                 ? tg_tokens_add(tokens, TG_TOKEN_OPEN, raw, len)
                                 : NULL;

    if (token != NULL)
        tokens->open[tokens->depth++] = tokens->count - 1;
    return token;
}

struct tg_token *tg_tokens_top(const struct tg_tokens *tokens)
{
    return tokens->depth > 0 ? &tokens->items[tokens->open[tokens->depth - 1]] : NULL;
}

int tg_tokens_pop(struct tg_tokens *tokens, const char *raw, size_t len)
{
    assert(tokens->depth > 0);
    tokens->depth--;
    return tg_tokens_add(tokens, TG_TOKEN_CLOSE, raw, len) != NULL ? BW_OK : BW_ENOMEM;
}

int tg_tokens_plain(struct tg_tokens *tokens, const char *text)
{
    while (*text != '\0') {
        int rc = tg_tokens_add_text(tokens, &text);

        if (rc != BW_OK)
            return rc;
    }
    return BW_OK;
}
