#include "codec/num.h"

#include <string.h>

/* Negative numbers reach one further than positive ones, so digits are gathered below
 * zero. */
static bool parse_digits(const char *text, size_t len, int64_t *out)
{
    int64_t number = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, text[i] - '0', &number))
            return false;
    }
    *out = number;
    return true;
}

bool bw_num_parse(const char *text, size_t len, int64_t min, int64_t max, int64_t *out)
{
    bool negative = len > 0 && text[0] == '-';
    int64_t number;

    if (!parse_digits(text + negative, len - negative, &number))
        return false;
    if (!negative && __builtin_sub_overflow(0, number, &number))
        return false;
    if (number < min || number > max)
        return false;
    *out = number;
    return true;
}

size_t bw_num_format(char out[BW_NUM_LEN_MAX], int64_t number)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char reversed[BW_NUM_LEN_MAX];
    size_t at = sizeof reversed;
    size_t len;

    do {
        reversed[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0)
        reversed[--at] = '-';
    len = sizeof reversed - at;
    memcpy(out, reversed + at, len);
    return len;
}
