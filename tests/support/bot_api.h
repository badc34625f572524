/* The Bot API stand-in (bot-api.mjs) for C tests: started as a program of its own, ended
 * with the test.
 *
 * Owned by the test's main thread. Functions that cannot do their work print why and
 * abort. The control requests use libcurl: curl_global_init() comes first. */
#ifndef TESTS_SUPPORT_BOT_API_H
#define TESTS_SUPPORT_BOT_API_H

#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

struct bot_api {
    pid_t pid;
    int stdin_fd; /* closing it ends the program */
    uint16_t port;
    char url[64]; /* http://127.0.0.1:PORT */
};

void bot_api_start(struct bot_api *api);
/* Harmless on a zeroed or stopped struct. */
void bot_api_stop(struct bot_api *api);

/* GET or POST /__control/<path>; `body` is JSON, NULL: GET. New: the answer, parsed. */
json_t *bot_api_control(const struct bot_api *api, const char *path, const char *body);
/* Adds a rule, as bot-api.mjs describes it. */
void bot_api_rule(const struct bot_api *api, const char *rule);
/* Forgets rules, calls and counters. */
void bot_api_reset(const struct bot_api *api);
/* Waits until at least `min` calls came, at most 60 s. New: the list of calls. */
json_t *bot_api_calls(const struct bot_api *api, unsigned min);

#endif
