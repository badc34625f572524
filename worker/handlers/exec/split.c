#include "handlers/exec/split.h"

#include <stdlib.h>
#include <string.h>

/* Copies one word; returns where it ends, or NULL when a quote is not closed. */
static const char *take_word(const char *p, char *out)
{
    char quote = '\0';

    for (; *p != '\0' && (quote != '\0' || strchr(" \t", *p) == NULL); p++) {
        if (quote == '\0' && (*p == '\'' || *p == '"'))
            quote = *p;
        else if (*p == quote)
            quote = '\0';
        else if (*p == '\\' && p[1] != '\0' &&
                 (quote == '\0' || (quote == '"' && (p[1] == '"' || p[1] == '\\'))))
            *out++ = *++p;
        else
            *out++ = *p;
    }
    *out = '\0';
    return quote == '\0' ? p : NULL;
}

int ex_split(const char *command, json_t **words, struct bw_error *err)
{
    json_t *list = json_array();
    char *word = malloc(strlen(command) + 1);
    const char *p = command + strspn(command, " \t");
    int rc = BW_OK;

    if (list == NULL || word == NULL)
        rc = bw_error_set(err, BW_ENOMEM, "out of memory");
    while (rc == BW_OK && *p != '\0') {
        p = take_word(p, word);
        if (p == NULL)
            rc = bw_error_set(err, BW_EINVAL, "a quote is not closed");
        else if (json_array_append_new(list, json_string(word)) != 0)
            rc = bw_error_set(err, BW_EINVAL, "is not UTF-8");
        else
            p += strspn(p, " \t");
    }
    if (rc == BW_OK && json_array_size(list) == 0)
        rc = bw_error_set(err, BW_EINVAL, "names no program");
    free(word);
    if (rc == BW_OK)
        *words = list;
    else
        json_decref(list);
    return rc;
}
