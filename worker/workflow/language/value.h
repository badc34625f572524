/* What JSON values mean to templates and conditions. worker/workflow/spec/workflow.md
 * §6.1, §7.2. Pure.
 *
 * NULL is JavaScript's undefined. */
#ifndef WORKFLOW_VALUE_H
#define WORKFLOW_VALUE_H

#include <stdbool.h>

#include <jansson.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>

#include "workflow/language/text.h"

/* Values nested deeper than this are cut or left as they are; the functions say which. */
#define WF_DEPTH_MAX 200

struct wf_text wf_value_string(const json_t *string); /* borrowed; of a JSON string */
/* New reference: a JSON string. Lone surrogates and bytes that are no UTF-8 become
 * U+FFFD, as Node writes them. NULL: memory is out. */
json_t *wf_value_from_text(struct wf_text text);

/* Same type and value; numbers by value whatever their storage, arrays and objects by
 * content. NULL equals only NULL. */
bool wf_value_equal(const json_t *a, const json_t *b);
/* As JavaScript's ===, except that arrays and objects are the same only by identity. */
bool wf_value_identical(const json_t *a, const json_t *b);
bool wf_value_blank(const json_t *value); /* operator is_empty */

/* ECMAScript's Number → String, without exponent for |x| < 1e21 (§0.3), tiny numbers
 * included. */
BW_MUSTCHECK int wf_number_text(double number, struct bw_buf *out);
/* A value in mixed text: null and absent → "", objects → compact JSON (§6.1). */
BW_MUSTCHECK int wf_value_text(const json_t *value, struct bw_buf *out);
/* Compact JSON as JSON.stringify() writes it: numbers by wf_number_text(), members as
 * stored; what lies deeper than 200 levels is null. */
BW_MUSTCHECK int wf_value_json(const json_t *value, struct bw_buf *out);
double wf_value_number(const json_t *value); /* num(x), §7.2 */
bool wf_value_truthy(const json_t *value);

#endif
