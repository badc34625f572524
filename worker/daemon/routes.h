/* Which path of the status server does what. */
#ifndef WORKER_ROUTES_H
#define WORKER_ROUTES_H

#include "http/server.h"

/* Fits struct http_options; `arg` is the struct wk_app. */
void wk_routes_answer(const struct http_request *request, struct http_response *response,
                      void *arg);

#endif
