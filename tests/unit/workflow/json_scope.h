/* A template scope over one JSON object, for tests:
 *
 *   {"roots": {"telegram": …}, "flat": {"username": …}, "trusted": {"company": …},
 *    "session": {…}, "user": {…}, "project": {…}, "global": {…}}
 *
 * Every part may be missing. A root that `roots` lacks is a variable, looked for in the
 * four scopes in this order; `session` and `global` alone are their objects. */
#ifndef TESTS_JSON_SCOPE_H
#define TESTS_JSON_SCOPE_H

#include "workflow/language/template.h"

/* Borrows `values`. */
struct wf_scope json_scope(const json_t *values);

#endif
