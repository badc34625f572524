/* A run without side effects: the engine itself, but PostgreSQL, Redis, Telegram, HTTP,
 * the queue and the clock are stood in for, and what it asks of them is written down.
 * One thread; nothing waits: time passes by being moved on. */
#ifndef WORKFLOW_AUTHORING_DRY_RUN_H
#define WORKFLOW_AUTHORING_DRY_RUN_H

#include <stdbool.h>

#include <jansson.h>

#include <bulwark/error.h>

#include "workflow/store/store.h"

struct wf_dry;

/* `workflow`: {nodes, connections, entryNodeId, settings?, variables?}. `state`: what
 * PostgreSQL and others know, or NULL:
 *
 *   project    members as templates see them; also `variables` {key: value}, `levels` []
 *   customer   members as `user` queries give them (U-JSON); also balance, metadata,
 *              bonuses [], transactions [], orders [] and what dry_state.c lists
 *   customers  [] further ones
 *   organizations [{id, name, slug, members [], links []}] of partners
 *   variables  {session|user|project|global: {key: value}}
 *   workflows  {id: workflow} for sub-workflows
 *   answers    {statement: [[cell, …], …]}: rows of a statement, whatever else is known
 *   telegram   {method: result}, http {url: {status, body}}
 *   now        ms since the epoch
 *
 * Changes of customers, money and variables are remembered from one update to the next.
 * Both are borrowed until the end. BW_EINVAL names the member that is wrong. */
BW_MUSTCHECK int wf_dry_create(struct wf_dry **dryp, const json_t *workflow,
                               const json_t *state, struct bw_error *err);
void wf_dry_destroy(struct wf_dry **dryp);

/* One update of Telegram, and the delays it leads to. */
void wf_dry_update(struct wf_dry *dry, const json_t *update);

/* Borrowed: `[{"job", "answer" or "error", "steps": [], "calls": [], "status",
 * "variables": {}}]`, one item a job. */
const json_t *wf_dry_trace(const struct wf_dry *dry);
/* Whether a dry run knows what this statement gives. */
bool wf_dry_answers(enum wf_sql sql);
/* A job or an execution failed. */
bool wf_dry_failed(const struct wf_dry *dry);

#endif
