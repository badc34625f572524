#include "support/markup_check.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "telegram/grapheme.h"
#include "telegram/markup_tokens.h"

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* --- Telegram's HTML, by its manual */

struct html {
    const char *at;
    char *out;
    size_t len;
    bool bad;
};

static void put(struct html *html, unsigned long code)
{
    if (code < 0x80) {
        html->out[html->len++] = (char)code;
    } else if (code < 0x800) {
        html->out[html->len++] = (char)(0xc0 | code >> 6);
        html->out[html->len++] = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        html->out[html->len++] = (char)(0xe0 | code >> 12);
        html->out[html->len++] = (char)(0x80 | (code >> 6 & 0x3f));
        html->out[html->len++] = (char)(0x80 | (code & 0x3f));
    } else {
        html->out[html->len++] = (char)(0xf0 | code >> 18);
        html->out[html->len++] = (char)(0x80 | (code >> 12 & 0x3f));
        html->out[html->len++] = (char)(0x80 | (code >> 6 & 0x3f));
        html->out[html->len++] = (char)(0x80 | (code & 0x3f));
    }
}

static void read_entity(struct html *html)
{
    static const char *const names[] = { "lt", "<", "gt", ">", "amp", "&", "quot", "\"" };
    char word[16] = "", *end;
    unsigned long code = 0;

    if (html->at[1] == '#') {
        bool hex = html->at[2] == 'x';
        const char *digits = html->at + (hex ? 3 : 2);

        if (hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)) {
            code = strtoul(digits, &end, hex ? 16 : 10);
            if (end - html->at < 10 && code > 0 && code < 0x10ffff &&
                (code < 0xd800 || code > 0xdfff)) {
                put(html, code);
                html->at = end + (*end == ';');
                return;
            }
        }
    } else if (sscanf(html->at + 1, "%15[A-Za-z]", word) == 1) {
        for (size_t i = 0; i < 8; i += 2) {
            if (strcmp(word, names[i]) != 0)
                continue;
            html->out[html->len++] = *names[i + 1];
            html->at += 1 + strlen(word);
            html->at += *html->at == ';';
            return;
        }
    }
    html->out[html->len++] = *html->at++;
}

static const char blanks[] = " \n\t\r\v";

/* Reads `<name …>` and says where the name is. */
static size_t read_tag(struct html *html, const char **namep)
{
    static const char *const known = " a b strong i em s strike del u ins span "
                                     "tg-spoiler pre blockquote tg-emoji code ";
    const char *name = html->at + 1;
    size_t len = strcspn(name, " \n\t\r\v>");
    bool spoiler = false, emoji = false;
    char word[16];

    *namep = name;
    if (len == 0 || len > 10) {
        html->bad = true;
        return 0;
    }
    (void)snprintf(word, sizeof(word), " %.*s ", (int)len, name);
    for (char *c = word; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    html->bad = strstr(known, word) == NULL;
    html->at = name + len;
    while (!html->bad) {
        const char *key, *value = "";
        size_t key_len, value_len = 0;

        html->at += strspn(html->at, blanks);
        if (*html->at == '>')
            break;
        key = html->at;
        key_len = strcspn(key, " \n\t\r\v=>");
        html->at += key_len;
        html->at += strspn(html->at, blanks);
        if (key_len == 0 || *html->at == '\0') {
            html->bad = true;
        } else if (*html->at == '=') {
            html->at++;
            html->at += strspn(html->at, blanks);
            if (*html->at == '"' || *html->at == '\'') {
                char quote[2] = { *html->at, '\0' };

                value = html->at + 1;
                value_len = strcspn(value, quote);
                html->bad = value[value_len] == '\0';
                html->at = value + value_len + (html->bad ? 0 : 1);
            } else {
                value = html->at;
                while (isalnum((unsigned char)value[value_len]) ||
                       value[value_len] == '.' || value[value_len] == '-')
                    value_len++;
                html->at = value + value_len;
                html->bad = value_len == 0 || *html->at == '\0' ||
                            strchr(" \n\t\r\v>", *html->at) == NULL;
            }
        }
        spoiler |= key_len == 5 && strncasecmp(key, "class", 5) == 0 && value_len == 10 &&
                   strncasecmp(value, "tg-spoiler", 10) == 0;
        emoji |= key_len == 8 && strncasecmp(key, "emoji-id", 8) == 0 && value_len > 0;
    }
    if ((strcmp(word, " span ") == 0 && !spoiler) ||
        (strcmp(word, " tg-emoji ") == 0 && !emoji))
        html->bad = true;
    if (!html->bad)
        html->at++;
    return len;
}

/* Until the end tag of `name`, which is read too; NULL: until the text's end. */
static void read_inside(struct html *html, const char *name, size_t len, int depth)
{
    while (!html->bad && *html->at != '\0') {
        if (*html->at == '&') {
            read_entity(html);
        } else if (*html->at != '<') {
            html->out[html->len++] = *html->at++;
        } else if (html->at[1] == '/') {
            const char *end = html->at + 2;
            size_t end_len = strcspn(end, " \n\t\r\v>");

            html->at = end + end_len;
            html->at += strspn(html->at, blanks);
            html->bad =
                name == NULL || *html->at != '>' ||
                (end_len > 0 && (end_len != len || strncasecmp(end, name, len) != 0));
            if (!html->bad)
                html->at++;
            return;
        } else {
            const char *inner;
            size_t inner_len = read_tag(html, &inner);

            if (!html->bad && depth == TG_DEPTH_MAX)
                html->bad = true;
            if (!html->bad)
                read_inside(html, inner, inner_len, depth + 1);
        }
    }
    if (name != NULL)
        html->bad = true; /* never closed */
}

char *markup_read_html(const char *text)
{
    struct html html = { text, must(malloc(strlen(text) + 1)), 0, false };

    read_inside(&html, NULL, 0, 0);
    html.out[html.len] = '\0';
    if (!html.bad)
        return html.out;
    free(html.out);
    return NULL;
}

/* --- what a text shows: its characters, each with the marks around it */

struct shown {
    uint32_t code;
    uint64_t marks;
};

struct view {
    struct shown *items;
    size_t count, units;
    bool good;
};

static uint64_t hash(uint64_t value, const struct tg_mark *mark)
{
    const char *const pieces[] = { mark->before, mark->at, mark->after };
    const size_t lens[] = { strlen(mark->before), mark->len, strlen(mark->after) };

    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < lens[i]; j++)
            value = (value ^ (unsigned char)pieces[i][j]) * 1099511628211u;
    return value * 31 + 7;
}

static int read_mode(struct tg_tokens *tokens, enum tg_mode mode, const char *text)
{
    return mode == TG_MODE_HTML       ? tg_tokens_html(tokens, text)
           : mode == TG_MODE_MARKDOWN ? tg_tokens_markdown(tokens, text)
           : mode == TG_MODE_PLAIN    ? tg_tokens_plain(tokens, text)
                                      : tg_tokens_markdown_v2(tokens, text);
}

static struct view view_of(enum tg_mode mode, const char *text)
{
    struct tg_tokens tokens = { 0 };
    struct view view = { 0 };
    uint64_t marks[TG_DEPTH_MAX + 1] = { 1 };
    size_t depth = 0;
    int rc = read_mode(&tokens, mode, text);

    if (rc == BW_ENOMEM)
        abort();
    view.good = rc == BW_OK;
    if (!view.good) {
        tg_tokens_fini(&tokens);
        if (tg_tokens_plain(&tokens, text) != BW_OK)
            abort();
    }
    view.items = must(calloc(tokens.count + 1, sizeof *view.items));
    for (size_t i = 0; i < tokens.count; i++) {
        const struct tg_token *token = &tokens.items[i];

        if (token->kind == TG_TOKEN_OPEN) {
            /* a quote and the end of a link are told apart by how they end */
            marks[depth + 1] = hash(hash(marks[depth], &token->open), &token->closed);
            if (token->quote)
                marks[depth + 1] = marks[depth] * 3;
            depth++;
        } else if (token->kind == TG_TOKEN_CLOSE) {
            depth--;
        } else if (token->kind == TG_TOKEN_TEXT) {
            view.items[view.count++] = (struct shown){ token->code, marks[depth] };
            view.units += token->code > 0xffff ? 2 : 1;
        }
    }
    tg_tokens_fini(&tokens);
    return view;
}

static bool is_white(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0x85 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a && code != 0x2007) ||
           code == 0x2028 || code == 0x2029 || code == 0x205f || code == 0x3000;
}

/* Where characters as readers see them begin, by place in the view. */
static bool *begins(const struct view *view)
{
    char *text = must(malloc(view->count * 4 + 1));
    bool *starts = must(calloc(view->count * 4 + 1, 1)),
         *result = must(calloc(view->count + 1, 1));
    size_t *at = must(calloc(view->count + 1, sizeof *at));
    struct html html = { NULL, text, 0, false };

    for (size_t i = 0; i < view->count; i++) {
        at[i] = html.len;
        put(&html, view->items[i].code);
    }
    if (tg_graphemes(text, html.len, starts) != BW_OK)
        abort();
    for (size_t i = 0; i < view->count; i++)
        result[i] = starts[at[i]];
    free(at);
    free(text);
    free(starts);
    return result;
}

/* A cut before `at` is right, or could not be helped. */
static bool cut_is_right(const struct view *whole, const bool *starts, size_t at,
                         size_t limit)
{
    size_t units = 0, i = at;

    if (at >= whole->count || starts[at])
        return true;
    while (i > 0 && !starts[i])
        i--;
    do {
        units += whole->items[i++].code > 0xffff ? 2 : 1;
    } while (i < whole->count && !starts[i]);
    return units > limit;
}

static const char *check_part(const struct view *whole, const bool *starts, size_t *atp,
                              const struct view *part, size_t limit)
{
    bool black = false;

    if (whole->good && !part->good)
        return "a part is no markup";
    if (part->units > limit)
        return "a part is too long";
    if (!cut_is_right(whole, starts, *atp, limit))
        return "a part begins in the middle of a character";
    for (size_t i = 0; i < part->count; i++) {
        const struct shown *shown = &part->items[i];

        black = black || !is_white(shown->code);
        while (*atp < whole->count && is_white(whole->items[*atp].code) &&
               (whole->items[*atp].code != shown->code ||
                (whole->good && whole->items[*atp].marks != shown->marks)))
            ++*atp;
        if (*atp >= whole->count || whole->items[*atp].code != shown->code)
            return "a part shows something else";
        if (whole->good && whole->items[*atp].marks != shown->marks)
            return "a character has other marks around it";
        ++*atp;
    }
    return black ? NULL : "a part is white space";
}

static const char *check_html(const char *text, const struct view *whole)
{
    char *visible = markup_read_html(text);
    size_t at = 0;
    bool same = (visible != NULL) == whole->good;

    for (size_t i = 0; same && visible != NULL && i < whole->count; i++) {
        size_t len;

        same = visible[at] != '\0' &&
               tg_code_point(visible + at, &len) == whole->items[i].code;
        at += same ? len : 0;
    }
    same = same && (visible == NULL || visible[at] == '\0');
    free(visible);
    return same ? NULL : "the manual reads it otherwise";
}

const char *markup_check(enum tg_mode mode, const char *text, size_t limit)
{
    struct view whole = view_of(mode, text);
    bool *starts = begins(&whole);
    struct tg_parts parts;
    const char *wrong = mode == TG_MODE_HTML ? check_html(text, &whole) : NULL;
    size_t at = 0;

    if (tg_markup_split(&parts, mode, text, limit) != BW_OK)
        abort();
    if (whole.units <= limit && (parts.count != 1 || strcmp(parts.texts[0], text) != 0))
        wrong = "a text that fits is changed";
    for (size_t i = 0;
         wrong == NULL && whole.units > limit && parts.count > 1 && i < parts.count;
         i++) {
        struct view part = view_of(whole.good ? mode : TG_MODE_PLAIN, parts.texts[i]);

        wrong = check_part(&whole, starts, &at, &part, limit);
        free(part.items);
    }
    for (; wrong == NULL && parts.count > 1 && at < whole.count; at++)
        if (!is_white(whole.items[at].code))
            wrong = "something is lost";
    tg_parts_fini(&parts);
    free(starts);
    free(whole.items);
    return wrong;
}
