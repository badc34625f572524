/* The engine's SQL: constant statements, by number. All values travel as parameters.
 *
 * Their texts, parameters and columns are in the .sql files here; scripts/embed-sql makes
 * C of them, so that what is renamed there and not here does not compile: WF_SQL_<name>,
 * WF_ARG_<name>_<parameter>, WF_COL_<name>_<column>. */
#ifndef WORKFLOW_STORE_H
#define WORKFLOW_STORE_H

#include <stdbool.h>

#include "workflow/store/statements.h"

/* Who cannot do without a statement. worker/workflow/spec/workflow.md §1.4.1 */
enum wf_need {
    /* every message */
    WF_NEED_ALL,
    /* every job of a kind: those started by a clock, or that wait for time */
    WF_NEED_KIND,
    /* a node, or nobody that waits for it */
    WF_NEED_NODE
};

struct wf_statement {
    const char *name; /* unique */
    const char *text;
    unsigned params, columns;
    enum wf_need need;
    bool reads; /* it changes nothing */
};

/* The column of a statement that has only one, for who reads several of these. */
#define WF_COL_ONLY 0

extern const struct wf_statement wf_statements[WF_SQL_COUNT];

enum wf_need wf_store_need(enum wf_sql sql);
bool wf_store_reads(enum wf_sql sql);

/* Borrowed, constant. */
const struct wf_statement *wf_store_statement(enum wf_sql sql);

#endif
