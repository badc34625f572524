/* JSON of others, as Node reads it. jansson is stricter than JSON.parse(): it refuses
 * `\u0000`, halves of surrogate pairs, bytes that are no UTF-8 and numbers beyond its
 * types. Here the first three become U+FFFD, for neither PostgreSQL nor Telegram nor
 * UTF-8 takes them; an integer beyond 64 bits becomes the nearest double, a number beyond
 * doubles the greatest. Text without any of these is read as it stands.
 *
 * Pure; any thread. worker/workflow/spec/workflow.md WF-174 */
#ifndef WORKER_JSON_READ_H
#define WORKER_JSON_READ_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/* New reference, or NULL: no JSON, or no memory; `error` (or NULL) says which, with the
 * place in the text. `flags` are jansson's. */
json_t *wk_json_read(const char *text, size_t len, size_t flags, json_error_t *error);
/* The same for all that is left in a file. */
json_t *wk_json_read_file(FILE *file, size_t flags, json_error_t *error);

/* New reference: any bytes as a JSON string, what it cannot hold as U+FFFD, as Node
 * decodes UTF-8; NULL: no memory. */
json_t *wk_json_text(const char *data, size_t len);

#endif
