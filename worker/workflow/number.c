#include "workflow/number.h"

#include <float.h>
#include <math.h>
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

static double parse_hex(struct wf_text text)
{
    double value = 0;

    if (text.len == 0)
        return NAN;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int lower = c | 0x20;

        if (is_digit(c))
            value = value * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value * 16 + (lower - 'a' + 10);
        else
            return NAN;
    }
    return value;
}

double wf_number_parse(struct wf_text text)
{
    struct wf_text trimmed = wf_text_trim(text);
    double number = NAN;

    if (trimmed.len == 0)
        return 0;
    if (trimmed.len > 2 && trimmed.data[0] == '0' && (trimmed.data[1] | 0x20) == 'x')
        return parse_hex((struct wf_text){ trimmed.data + 2, trimmed.len - 2 });
    if (wf_number_scan(trimmed, &number) != trimmed.len)
        return NAN;
    return number;
}
