#include "workflow/language/number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decimal { /* 0.d1d2d3… × 10^point */
    char digits[24];
    int count;
    int point;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static double decimal_value(const struct decimal *decimal)
{
    char text[48];

    (void)snprintf(text, sizeof text, "0.%se%d", decimal->digits,
                   decimal->point); /* fits */
    return strtod(text, NULL);
}

static void decimal_round(double number, int precision, struct decimal *decimal)
{
    char text[48];
    const char *at = text;

    (void)snprintf(text, sizeof text, "%.*e", precision - 1,
                   number); /* fits: at most 17 digits */
    decimal->count = 0;
    for (; *at != 'e'; at++)
        if (is_digit(*at))
            decimal->digits[decimal->count++] = *at;
    decimal->digits[decimal->count] = '\0';
    decimal->point = (int)strtol(at + 1, NULL, 10) + 1;
}

static void decimal_next(struct decimal *decimal)
{
    int i = decimal->count - 1;

    while (i >= 0 && decimal->digits[i] == '9')
        decimal->digits[i--] = '0';
    if (i >= 0) {
        decimal->digits[i]++;
        return;
    }
    decimal->digits[0] = '1';
    decimal->point++;
}

/* Below a power of two the doubles lie closer, so the nearest decimal of a length may
 * miss while its upper neighbour still reads back: ECMAScript wants the shorter text
 * then. */
static bool decimal_fits(double number, int precision, struct decimal *decimal)
{
    decimal_round(number, precision, decimal);
    if (decimal_value(decimal) == number)
        return true;
    decimal_next(decimal);
    return decimal_value(decimal) == number;
}

static void decimal_shortest(double number, struct decimal *decimal)
{
    /* With full precision every decimal of up to 15 digits survives, so 15 finds all
     * shorter ones: they end in zeros. Subnormal numbers have less precision. */
    int precision = number < DBL_MIN ? 1 : DBL_DIG;

    while (precision < DBL_DECIMAL_DIG && !decimal_fits(number, precision, decimal))
        precision++;
    if (precision == DBL_DECIMAL_DIG)
        decimal_round(number, precision, decimal);
    while (decimal->count > 1 && decimal->digits[decimal->count - 1] == '0')
        decimal->digits[--decimal->count] = '\0';
}

static size_t fill(char *out, char c, int count)
{
    if (count <= 0)
        return 0;
    memset(out, c, (size_t)count);
    return (size_t)count;
}

static size_t decimal_write(const struct decimal *decimal, char *out)
{
    size_t count = (size_t)decimal->count;
    size_t len = 0;

    if (decimal->point > 21) {
        out[len++] = decimal->digits[0];
        if (count > 1)
            out[len++] = '.';
        memcpy(out + len, decimal->digits + 1, count - 1);
        len += count - 1;
        return len + (size_t)sprintf(out + len, "e+%d", decimal->point - 1);
    }
    if (decimal->point <= 0) {
        out[len++] = '0';
        out[len++] = '.';
        len += fill(out + len, '0', -decimal->point);
        memcpy(out + len, decimal->digits, count);
        return len + count;
    }
    if (decimal->count <= decimal->point) {
        memcpy(out, decimal->digits, count);
        return count + fill(out + count, '0', decimal->point - decimal->count);
    }
    memcpy(out, decimal->digits, (size_t)decimal->point);
    len = (size_t)decimal->point;
    out[len++] = '.';
    memcpy(out + len, decimal->digits + decimal->point, count - (size_t)decimal->point);
    return len + count - (size_t)decimal->point;
}

size_t wf_number_write(double number, char out[WF_NUMBER_MAX])
{
    struct decimal decimal;
    size_t sign = 0, len;

    if (isnan(number))
        return (size_t)sprintf(out, "NaN");
    if (isinf(number))
        return (size_t)sprintf(out, number < 0 ? "-Infinity" : "Infinity");
    if (fabs(number) < 1e15 && number == (double)(int64_t)number)
        return (size_t)sprintf(out, "%lld", (long long)number);
    if (number < 0)
        out[sign++] = '-';
    decimal_shortest(fabs(number), &decimal);
    len = sign + decimal_write(&decimal, out + sign);
    out[len] = '\0';
    return len;
}

static size_t skip_digits(struct wf_text text, size_t at)
{
    while (at < text.len && is_digit(text.data[at]))
        at++;
    return at;
}

/* The end of an exponent at `at`, or `at` when there is none. */
static size_t skip_exponent(struct wf_text text, size_t at)
{
    size_t from = at, digits;

    if (at >= text.len || (text.data[at] != 'e' && text.data[at] != 'E'))
        return from;
    at++;
    if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
        at++;
    digits = skip_digits(text, at);
    return digits > at ? digits : from;
}

/* strtod needs an end; long texts (thousands of digits) are rare, so they take the heap.
 */
static double convert(const char *data, size_t len)
{
    char small[64];
    char *copy = small;
    double number;

    if (len >= sizeof small)
        copy = malloc(len + 1);
    if (copy == NULL)
        return NAN;
    memcpy(copy, data, len);
    copy[len] = '\0';
    number = strtod(copy, NULL);
    if (copy != small)
        free(copy);
    return number;
}

size_t wf_number_scan(struct wf_text text, double *number)
{
    size_t sign = text.len > 0 && (text.data[0] == '+' || text.data[0] == '-') ? 1 : 0;
    size_t whole = skip_digits(text, sign);
    size_t end = whole;

    if (end < text.len && text.data[end] == '.')
        end = skip_digits(text, end + 1);
    if (whole == sign && end <= whole + 1)
        return 0; /* no digit on either side of the point */
    end = skip_exponent(text, end);
    if (number != NULL)
        *number = convert(text.data, end);
    return end;
}

static int digit_value(char c)
{
    int lower = c | 0x20;

    if (is_digit(c))
        return c - '0';
    return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

/* The digits of a radix 2^bits; rounded once, at the end, to the nearest double. */
static double binary_value(struct wf_text digits, int bits)
{
    uint64_t head = 0;
    int more = 0; /* bits that found no room */
    bool sticky = false;

    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)digit_value(digits.data[i]);

        for (int bit = bits - 1; bit >= 0; bit--) {
            bool set = (digit >> bit & 1u) != 0;

            if (head >> 62 == 0) {
                head = head << 1 | (set ? 1u : 0u);
            } else {
                sticky = sticky || set;
                if (more < 4096) /* infinite long before */
                    more++;
            }
        }
    }
    return ldexp((double)(head << 1 | (sticky ? 1u : 0u)), more - 1);
}

/* Digits are gathered first as far as 32 bits hold them, so that fewer steps round: as
 * near as JavaScript's engines come. */
static double radix_value(struct wf_text digits, int radix)
{
    double value = 0;

    for (size_t i = 0; i < digits.len;) {
        uint64_t part = 0, scale = 1;

        for (; i < digits.len && scale * (uint64_t)radix <= UINT32_MAX / 36; i++) {
            part = part * (uint64_t)radix + (uint64_t)digit_value(digits.data[i]);
            scale *= (uint64_t)radix;
        }
        value = value * (double)scale + (double)part;
    }
    return value;
}

size_t wf_number_digits(struct wf_text text, int radix, double *number)
{
    struct wf_text digits = { text.data, 0 };
    int bits = 0;

    while (digits.len < text.len && digit_value(text.data[digits.len]) < radix)
        digits.len++;
    while (1 << bits < radix)
        bits++;
    if (digits.len == 0)
        *number = NAN;
    else if (radix == 10)
        *number = convert(digits.data, digits.len);
    else if (1 << bits == radix)
        *number = binary_value(digits, bits);
    else
        *number = radix_value(digits, radix);
    return digits.len;
}

/* "Infinity" with or without a sign at the start: its length, 0 if it is not there. */
static size_t skip_infinity(struct wf_text text, double *number)
{
    static const char word[] = "Infinity";
    size_t sign = text.len > 0 && (text.data[0] == '+' || text.data[0] == '-') ? 1 : 0;

    if (text.len - sign < sizeof word - 1 ||
        memcmp(text.data + sign, word, sizeof word - 1) != 0)
        return 0;
    *number = sign > 0 && text.data[0] == '-' ? -INFINITY : INFINITY;
    return sign + sizeof word - 1;
}

double wf_number_leading(struct wf_text text)
{
    struct wf_text trimmed = wf_text_trim(text);
    double number = NAN;

    if (skip_infinity(trimmed, &number) == 0)
        (void)wf_number_scan(trimmed, &number); /* leaves NaN when there is none */
    return number;
}

/* What follows "0x", "0o" or "0b". */
static double parse_prefixed(struct wf_text digits, int radix)
{
    double number;

    return wf_number_digits(digits, radix, &number) == digits.len ? number : NAN;
}

double wf_number_parse(struct wf_text text)
{
    struct wf_text trimmed = wf_text_trim(text);
    double number = NAN;

    if (trimmed.len == 0)
        return 0;
    if (trimmed.len > 2 && trimmed.data[0] == '0') {
        struct wf_text digits = { trimmed.data + 2, trimmed.len - 2 };

        switch (trimmed.data[1] | 0x20) {
        case 'x':
            return parse_prefixed(digits, 16);
        case 'o':
            return parse_prefixed(digits, 8);
        case 'b':
            return parse_prefixed(digits, 2);
        default:
            break;
        }
    }
    if (skip_infinity(trimmed, &number) == trimmed.len)
        return number;
    number = NAN;
    if (wf_number_scan(trimmed, &number) != trimmed.len)
        return NAN;
    return number;
}
