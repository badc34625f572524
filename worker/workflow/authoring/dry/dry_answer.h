/* What PostgreSQL would say. */
#ifndef WORKFLOW_AUTHORING_DRY_ANSWER_H
#define WORKFLOW_AUTHORING_DRY_ANSWER_H

#include "workflow/authoring/dry/dry.h"

/* New reference: rows of cells. */
json_t *dry_answer(struct wf_dry *dry, enum wf_sql sql, const json_t *params);
/* Borrowed: as the state's `answers` name it. */
const char *dry_answer_name(enum wf_sql sql);

#endif
