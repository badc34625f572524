#include "workflow/language/expression/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

int wf_expr_fail(struct wf_expr *expr, const char *format, ...)
{
    char reason[BW_ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reason, sizeof reason, format, args); /* cut at the limit */
    va_end(args);
    return bw_error_set(expr->err, BW_EINVAL, "%s", reason);
}

int wf_expr_alloc(struct wf_expr *expr, size_t size, void *out)
{
    void *place = wf_arena_alloc(&expr->arena, size > 0 ? size : 1);

    memcpy(out, &place, sizeof place);
    if (place != NULL)
        return BW_OK;
    if (expr->arena.used > expr->arena.limit)
        return wf_expr_fail(expr, "Expression needs too much memory");
    return BW_ENOMEM;
}

int wf_expr_charge(struct wf_expr *expr, size_t steps)
{
    BW_ASSERT(expr->steps >= 0 && expr->steps <= WF_EXPR_STEPS_MAX);
    if (steps > (size_t)(WF_EXPR_STEPS_MAX - expr->steps))
        return wf_expr_fail(expr, "Expression exceeds maximum of %d steps",
                            WF_EXPR_STEPS_MAX);
    expr->steps += (int)steps;
    return BW_OK;
}
