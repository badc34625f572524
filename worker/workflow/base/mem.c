#include "workflow/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bulwark/error.h>

#include "json/read.h"

static _Noreturn void out_of_memory(void)
{
    static const char text[] = "bulwark: out of memory\n";

    (void)!write(STDERR_FILENO, text,
                 sizeof(text) - 1); /* nothing is left to do about it */
    _exit(1);
}

void *wf_alloc(size_t size)
{
    void *memory = calloc(1, size != 0 ? size : 1);

    if (memory == NULL)
        out_of_memory();
    return memory;
}

char *wf_strdup(const char *text)
{
    char *copy;

    if (text == NULL)
        return NULL;
    copy = strdup(text);
    if (copy == NULL)
        out_of_memory();
    return copy;
}

char *wf_printf(const char *format, ...)
{
    char *text;
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        out_of_memory();
    return text;
}

void wf_set(char **to, const char *text)
{
    char *copy = wf_strdup(text);

    free(*to);
    *to = copy;
}

json_t *wf_must(json_t *json)
{
    if (json == NULL)
        out_of_memory();
    return json;
}

void wf_check(int rc)
{
    if (rc != BW_OK)
        out_of_memory();
}

json_t *wf_text(const char *text)
{
    return wf_must(wk_json_text(text, strlen(text)));
}

const char *wf_member(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : fallback;
}

const char *wf_member2(const json_t *object, const char *key, const char *other)
{
    const char *text = wf_member(object, key, "");

    if (*text == '\0')
        text = wf_member(object, other, "");
    return *text != '\0' ? text : NULL;
}

char *wf_dumps(const json_t *json)
{
    char *text;

    if (json == NULL)
        return wf_strdup("null");
    text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL)
        out_of_memory();
    return text;
}

json_t *wf_loads(const char *text)
{
    return text != NULL ? wk_json_read(text, strlen(text), JSON_DECODE_ANY, NULL) : NULL;
}

void wf_json_set(json_t *object, const char *key, json_t *value)
{
    if (value == NULL)
        (void)json_object_del(object, key); /* absent already is fine */
    else if (json_object_set_new(object, key, value) != 0)
        out_of_memory();
}

void wf_json_set_text(json_t *object, const char *key, const char *text)
{
    wf_json_set(object, key, text != NULL ? wf_text(text) : NULL);
}
