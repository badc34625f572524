/* A scope in which every name is found: the values are of all kinds, by the name's
 * length. */
#ifndef TESTS_FUZZ_SCOPE_H
#define TESTS_FUZZ_SCOPE_H

#include <string.h>

#include "workflow/language/template.h"

static json_t *fuzz_values;

static inline const json_t *fuzz_root(void *arg, const char *name, const char *variables)
{
    (void)arg, (void)variables; /* one set for all scopes */
    return json_array_get(fuzz_values, strlen(name) % (json_array_size(fuzz_values) + 1));
}

static inline const json_t *fuzz_flat(void *arg, const char *name, bool *trusted)
{
    *trusted = name[0] >= 'm';
    return fuzz_root(arg, name, NULL);
}

static inline struct wf_scope fuzz_scope(void)
{
    if (fuzz_values == NULL)
        fuzz_values = json_loads(
            "[{\"a\":[1,2.5,{\"b\":\"c\"}],\"length\":3},\"text {n} {{user.a}}\","
            "[1,[2,[3]],null,\"x\"],150.5,null,true,\"\xf0\x9f\x98\x80\xd0\xb1<&\","
            "\"2025-10-15T16:30:00.000Z\",-7,\"\"]",
            0, NULL);
    return (struct wf_scope){ .root = fuzz_root, .flat = fuzz_flat };
}

#endif
