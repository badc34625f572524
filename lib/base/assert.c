#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void bw_assert_failed(const char *what, const char *file, int line, const char *function)
{
    (void)fprintf(stderr, "%s:%d: %s(): this must hold and does not: %s\n", file, line,
                  function, what);
    abort();
}
