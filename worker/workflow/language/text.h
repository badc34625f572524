/* Text as JavaScript counts it: UTF-16 code units over UTF-8 storage.
 * worker/workflow/spec/workflow.md §7.3.
 *
 * Storage is UTF-8; a surrogate without its partner (a slice through a pair) is kept as
 * its three-byte form and becomes U+FFFD when it leaves as JSON. Pure; any thread. */
#ifndef WORKFLOW_TEXT_H
#define WORKFLOW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/buf.h>
#include <bulwark/error.h>

struct wf_text { /* borrowed bytes, may hold NUL */
    const char *data;
    size_t len;
};

struct wf_text wf_text_of(const char *data); /* up to the NUL */

/* Decodes the code point at `at` and moves `at` behind it; never past `len`. A byte that
 * starts no valid sequence yields U+FFFD and is skipped alone. Surrogates in three-byte
 * form are returned as they are. */
uint32_t wf_text_next(struct wf_text text, size_t *at);
/* Appends one code point (or surrogate); returns the bytes written, at most 4. */
size_t wf_text_encode(uint32_t code, char out[4]);

bool wf_text_is_ascii(struct wf_text text);
bool wf_text_is_space(uint32_t code); /* JavaScript's white space and line terminators */
size_t wf_text_units(struct wf_text text); /* UTF-16 length */

bool wf_text_equal(struct wf_text a, struct wf_text b);
/* Order by UTF-16 code units: < 0, 0, > 0. */
int wf_text_compare(struct wf_text a, struct wf_text b);
/* Without JavaScript's white space and line terminators at both ends. */
struct wf_text wf_text_trim(struct wf_text text);
bool wf_text_blank(struct wf_text text);

/* Appends `text` in lower or upper case (simple Unicode mapping, ß → SS). */
BW_MUSTCHECK int wf_text_lower(struct wf_text text, struct bw_buf *out);
BW_MUSTCHECK int wf_text_upper(struct wf_text text, struct bw_buf *out);
/* Equal when lower-cased; needs no memory. */
bool wf_text_equal_nocase(struct wf_text a, struct wf_text b);

enum wf_text_where { WF_TEXT_ANYWHERE, WF_TEXT_START, WF_TEXT_END };
/* Whether `text` has `part` there; `nocase` compares lower-cased. Needs no memory. */
bool wf_text_has(struct wf_text text, struct wf_text part, enum wf_text_where where,
                 bool nocase);

#endif
