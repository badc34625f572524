#include "workflow/authoring/check/spelling.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/names.h"
#include "workflow/base/mem.h"

bool wf_words_have(const json_t *words, const char *word)
{
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)words, i, item)
    {
        if (strcmp(json_string_value(item), word) == 0)
            return true;
    }
    return false;
}

void wf_check_spelling(const struct wf_site *site, const char *place,
                       const json_t *object, const char *list)
{
    json_t *words = wf_words(list), *value;
    const char *key, *near;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char *field;

        near = wf_words_have(words, key) ? NULL : wf_names_near(key, words, true);
        if (near == NULL)
            continue;
        field = wf_printf("%s.%s", place, key);
        wf_site_problem(site, field, "unknown member, did you mean \"%s\"?", near);
        free(field);
    }
    json_decref(words);
}
