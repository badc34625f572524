/* Memory for the engine: these never return NULL. A worker without memory ends at once,
 * with its jobs' locks left to run out (another worker takes them), rather than half-way
 * through a customer's money. Any thread. */
#ifndef WORKFLOW_MEM_H
#define WORKFLOW_MEM_H

#include <stddef.h>

#include <jansson.h>

#include <bulwark/api.h>
#include <bulwark/buf.h>

/* Zeroed. */
void *wf_alloc(size_t size);
/* NULL stays NULL. */
char *wf_strdup(const char *text);
char *wf_printf(const char *format, ...) BW_PRINTF(1, 2);
/* Replaces `*to`, which is freed, by a copy of `text`. */
void wf_set(char **to, const char *text);

/* Passes a new reference through; ends the program when it is NULL. */
json_t *wf_must(json_t *json);
/* Ends the program when `rc` says that memory ran out. */
void wf_check(int rc);

/* New reference: a JSON string; what is no UTF-8 becomes U+FFFD. */
json_t *wf_text(const char *text);
/* A string member, or `fallback`; NULL objects have no members. */
const char *wf_member(const json_t *object, const char *key, const char *fallback);
/* The first non-empty string of two spellings, or NULL. */
const char *wf_member2(const json_t *object, const char *key, const char *other);
/* New text: compact JSON, NULL becomes "null". */
char *wf_dumps(const json_t *json);
/* New reference: text parsed, any value; NULL for NULL or for what is no JSON. */
json_t *wf_loads(const char *text);
/* Sets a member to a new reference, which is taken; NULL removes the member. */
void wf_json_set(json_t *object, const char *key, json_t *value);
void wf_json_set_text(json_t *object, const char *key, const char *text);

#endif
