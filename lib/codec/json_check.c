#include "codec/json_check.h"

#include <stdint.h>
#include <string.h>

struct check {
    const char *at, *end;
    size_t depth;
    uint8_t objects[BW_JSON_DEPTH_MAX / 8]; /* a bit for each level: it is an object */
};

enum state { VALUE, FIRST_ITEM, FIRST_KEY, KEY, AFTER, WRONG };

/* The next byte, which is taken; '\0' at the end. */
static char take(struct check *c)
{
    return c->at < c->end ? *c->at++ : '\0';
}

static char peek(const struct check *c)
{
    return c->at < c->end ? *c->at : '\0';
}

static char peek_solid(struct check *c)
{
    while (c->at < c->end && memchr(" \t\n\r", *c->at, 4) != NULL)
        c->at++;
    return peek(c);
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool take_text(struct check *c, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
        return false;
    c->at += len;
    return true;
}

static bool take_digits(struct check *c)
{
    if (!is_digit(peek(c)))
        return false;
    while (is_digit(peek(c)))
        c->at++;
    return true;
}

static bool take_number(struct check *c)
{
    if (peek(c) == '-')
        c->at++;
    if (peek(c) == '0')
        c->at++;
    else if (!take_digits(c))
        return false;
    if (peek(c) == '.') {
        c->at++;
        if (!take_digits(c))
            return false;
    }
    if (peek(c) == 'e' || peek(c) == 'E') {
        c->at++;
        if (peek(c) == '+' || peek(c) == '-')
            c->at++;
        return take_digits(c);
    }
    return true;
}

static bool take_escape(struct check *c)
{
    char kind = take(c);

    if (kind != 'u')
        return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL;
    for (int i = 0; i < 4; i++) {
        if (!is_hex(take(c)))
            return false;
    }
    return true;
}

/* From behind the opening quote. */
static bool take_string(struct check *c)
{
    for (;;) {
        char byte = take(c);

        if (byte == '"')
            return true;
        if ((unsigned char)byte < 0x20 || (byte == '\\' && !take_escape(c)))
            return false;
    }
}

/* --- nesting */

static enum state enter(struct check *c, bool object)
{
    uint8_t bit = (uint8_t)(1U << (c->depth % 8));

    if (c->depth == BW_JSON_DEPTH_MAX)
        return WRONG;
    if (object)
        c->objects[c->depth / 8] |= bit;
    else
        c->objects[c->depth / 8] &= (uint8_t)~bit;
    c->depth++;
    return object ? FIRST_KEY : FIRST_ITEM;
}

static bool in_object(const struct check *c)
{
    size_t level = c->depth - 1;

    return (c->objects[level / 8] >> (level % 8) & 1) != 0;
}

/* --- one step of each state */

static enum state value(struct check *c)
{
    bool fine;

    switch (peek_solid(c)) {
    case '{':
    case '[':
        return enter(c, take(c) == '{');
    case '"':
        c->at++;
        fine = take_string(c);
        break;
    case 't':
        fine = take_text(c, "true");
        break;
    case 'f':
        fine = take_text(c, "false");
        break;
    case 'n':
        fine = take_text(c, "null");
        break;
    default:
        fine = take_number(c);
        break;
    }
    return fine ? AFTER : WRONG;
}

static enum state key(struct check *c)
{
    if (peek_solid(c) != '"')
        return WRONG;
    c->at++;
    if (!take_string(c) || peek_solid(c) != ':')
        return WRONG;
    c->at++;
    return VALUE;
}

static enum state first(struct check *c, char closing, enum state otherwise)
{
    if (peek_solid(c) != closing)
        return otherwise;
    c->at++;
    c->depth--;
    return AFTER;
}

/* Within an array or object. */
static enum state after(struct check *c)
{
    bool object = in_object(c);
    char byte = peek_solid(c);

    if (byte == ',') {
        c->at++;
        return object ? KEY : VALUE;
    }
    return byte == '\0' ? WRONG : first(c, object ? '}' : ']', WRONG);
}

bool bw_json_check(const char *text, size_t len)
{
    size_t byte;

    return bw_json_check_at(text, len, &byte);
}

bool bw_json_check_at(const char *text, size_t len, size_t *byte)
{
    struct check c; /* `objects` is written before it is read */
    enum state state = VALUE;

    c.at = text;
    c.end = text + len;
    c.depth = 0;
    while (state != WRONG && (state != AFTER || c.depth > 0)) {
        switch (state) {
        case VALUE:
            state = value(&c);
            break;
        case FIRST_ITEM:
            state = first(&c, ']', VALUE);
            break;
        case FIRST_KEY:
            state = first(&c, '}', KEY);
            break;
        case KEY:
            state = key(&c);
            break;
        default:
            state = after(&c);
            break;
        }
    }
    (void)peek_solid(&c);
    *byte = (size_t)(c.at - text) + 1;
    return state == AFTER && c.at == c.end;
}
