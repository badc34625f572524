#include "workflow/base/money.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"

#define NBSP "\u00a0"

char *wf_money_rub(double amount)
{
    char digits[32], out[96];
    double whole = round(amount); /* half away from zero */
    size_t len, at = 0;

    if (!(fabs(whole) < 1e18)) /* no sum of this schema */
        whole = 0;
    (void)snprintf(digits, sizeof(digits), "%.0f", fabs(whole));
    len = strlen(digits);
    if (whole < 0)
        out[at++] = '-';
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            memcpy(out + at, NBSP, sizeof(NBSP) - 1);
            at += sizeof(NBSP) - 1;
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return wf_printf("%s" NBSP "₽", out);
}
