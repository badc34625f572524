/* What the engine's statements need of a database, so that `bulwark check` can name all
 * of what is missing at once: a server names the first thing it misses, and only when it
 * is asked. worker/workflow/spec/workflow.md §1.4.1 */
#ifndef WORKFLOW_NEEDS_H
#define WORKFLOW_NEEDS_H

#include <bulwark/error.h>
#include <bulwark/log.h>

/* Asks the database behind the URL; blocks, at most some seconds a question. `found` is
 * called for each thing that is missing, with a text that names it. BW_EIO: the database
 * could not be asked. */
BW_MUSTCHECK int wf_needs_check(const char *url, const struct bw_log *log,
                                void (*found)(const char *text, void *arg), void *arg,
                                struct bw_error *err);

#endif
