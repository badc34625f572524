/* Which custom ids a producer may use. lib/spec/bullmq.md §1.1 */
#include "queue/add_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The digits that a JavaScript program prints for the whole number `text` stands for: the
 * shortest that read back the same, padded with zeros. */
static void print_number(char *out, size_t size, const char *text)
{
    double number = strtod(text, NULL);
    char shortest[40];
    int precision = 0;

    do
        (void)snprintf(shortest, sizeof(shortest), "%.*e", precision, number);
    while (strtod(shortest, NULL) != number && ++precision < 17);

    size_t exponent = (size_t)strtoul(strchr(shortest, 'e') + 1, NULL, 10), len = 0;

    for (const char *c = shortest; *c != 'e'; c++) {
        if (isdigit((unsigned char)*c) && len + 1 < size)
            out[len++] = *c;
    }
    while (len < exponent + 1 && len + 1 < size)
        out[len++] = '0';
    out[len] = '\0';
}

/* String(parseInt(id, 10)) === id: such ids are kept for the queue's own counter. */
static bool is_canonical_integer(const char *id)
{
    const char *digits = id[0] == '-' ? id + 1 : id;
    size_t len = strlen(digits);
    char printed[32];

    if (len == 0 || len > 21 || strspn(digits, "0123456789") != len)
        return false; /* from 22 digits on it is printed with an exponent */
    if (digits[0] == '0')
        return strcmp(id, "0") == 0;
    print_number(printed, sizeof(printed), digits);
    return strcmp(printed, digits) == 0;
}

static size_t count_colons(const char *id)
{
    size_t count = 0;

    for (; *id != '\0'; id++)
        count += *id == ':';
    return count;
}

int bw_job_id_check(const char *id, struct bw_error *err)
{
    size_t colons = count_colons(id);

    if (is_canonical_integer(id))
        return bw_error_set(err, BW_EINVAL, "jobId: must not be an integer");
    if (strncmp(id, "0:", 2) == 0)
        return bw_error_set(err, BW_EINVAL, "jobId: must not start with 0:");
    if (colons != 0 && colons != 2)
        return bw_error_set(err, BW_EINVAL,
                            "jobId: must not contain ':' unless it has three parts");
    return BW_OK;
}
