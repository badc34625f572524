/* HTTP for the nodes of workflows: requests to anywhere a workflow's author names, kept
 * within time, size, redirects and public addresses. One curl multi thread.
 *
 * An address is judged when a connection to it is opened and again before a request is
 * sent on it, so neither a name that resolves to a private address nor a redirect gets
 * past; each redirect's URL is judged as the first was, and only plain standard headers
 * go along to another host. worker/workflow/spec/workflow.md §5.3.4 */
#ifndef WORKER_WEB_CLIENT_H
#define WORKER_WEB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>
#include <bulwark/error.h>

struct web_client;
struct web_call; /* a request under way */

struct web_request {            /* all copied by web_client_submit() */
    const char *method;         /* "GET", "POST" … */
    const char *url;            /* as web_policy_url() gave it */
    const char *const *headers; /* "Name: value" …, NULL at the end; NULL: none */
    const char *body;           /* NULL: none */
    size_t body_len;
    int64_t timeout_ms;  /* > 0: of the whole request, redirects included */
    size_t max_body;     /* bytes of the answer */
    const char *domains; /* where redirects may lead, as web_policy_url() has it; NULL:
                            anywhere */
    bool any_address;    /* private ones too */
    bool chosen; /* by the operator: private, too, but not where it redirects to */
};

enum web_outcome {
    WEB_ANSWERED, /* `status` and `body` are there */
    WEB_UNSAFE,   /* it led to an address or scheme that is not allowed */
    WEB_FAILED /* not reached, cut, too late, too long, cancelled, or the client ended */
};

struct web_answer {
    enum web_outcome outcome;
    int status;
    const char *body; /* borrowed for the call; NUL-terminated */
    size_t len;
    const char *error; /* what went wrong; "" when answered */
};

/* Exactly once a request, on the client's thread; must not block. */
typedef void web_done(const struct web_answer *answer, void *arg);

/* New: ended by web_client_destroy(). */
BW_MUSTCHECK int web_client_create(struct web_client **clientp, struct bw_error *err);
/* Ends requests in flight as failed, then the thread. NULL-safe; empties the pointer. */
void web_client_destroy(struct web_client **clientp);

/* Any thread. `callp`: for web_client_cancel(), or NULL. BW_ENOMEM: `done` is not called.
 */
BW_MUSTCHECK int web_client_submit(struct web_client *client,
                                   const struct web_request *request, web_done *done,
                                   void *arg, struct web_call **callp);
/* Gives the request up; `done` still comes, with WEB_FAILED unless the answer was faster.
 * Any thread, but not once `done` has returned. */
void web_client_cancel(struct web_client *client, struct web_call *call);

#endif
