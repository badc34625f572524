/* Numbers and their text, both ways. worker/workflow/spec/workflow.md §0.3, §7.2. Wants
 * LC_NUMERIC "C". Pure. */
#ifndef WORKFLOW_NUMBER_H
#define WORKFLOW_NUMBER_H

#include "workflow/language/text.h"

#define WF_NUMBER_MAX 360 /* bytes, with the NUL: 5e-324 written out has 326 digits */

/* The shortest decimal text that reads back as `number`; exponent form only from 1e21 on.
 * "NaN", "Infinity". Returns the length. */
size_t wf_number_write(double number, char out[WF_NUMBER_MAX]);

/* num() of a string, JavaScript's Number(): trimmed decimal, exponent, 0x, 0o or 0b form,
 * Infinity; blank is 0, anything else NaN. */
double wf_number_parse(struct wf_text text);
/* JavaScript's parseFloat(): the longest decimal number behind white space; NaN: none. */
double wf_number_leading(struct wf_text text);
/* The digits of a radix (2 to 36) at the start of `text`: their number, 0 with NaN if
 * there are none. */
size_t wf_number_digits(struct wf_text text, int radix, double *number);
/* The longest decimal number at the start of `text` (no white space before it): its
 * length, 0 if none. The value goes to `*number` if that is not NULL. */
size_t wf_number_scan(struct wf_text text, double *number);

#endif
