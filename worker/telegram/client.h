/* The Telegram Bot API: one curl multi thread sends the calls of all bots. The only user
 * of libcurl for Telegram; its types stay here.
 *
 * A call is one Bot API method with its retries (worker/workflow/spec/workflow.md §9):
 * 429 with a short retry_after, 5xx and network failures before an answer are retried
 * here, with the spec's pauses; a 400 that complains about markup is sent once more
 * without parse_mode, one that says that the chat has moved is sent once more to its new
 * id. Outcomes are told apart so that the caller knows whether the message may have gone
 * out. The token never appears in a log or an error. */
#ifndef WORKER_TELEGRAM_CLIENT_H
#define WORKER_TELEGRAM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <bulwark/error.h>
#include <bulwark/log.h>
#include <bulwark/stats.h>

struct tg_client;

struct tg_options {
    const char *api_url;   /* NULL: https://api.telegram.org; no trailing slash needed */
    const char *proxy_url; /* or NULL */
    int64_t connect_timeout_ms; /* 0: 5000 */
    int64_t timeout_ms;         /* 0: 30000, each attempt */
    int64_t max_retry_after_ms; /* 0: 5000: a longer retry_after is not waited for here */
    const struct bw_log *log;
};

enum tg_outcome {
    TG_OK,       /* answered ok:true; `result` is set. Or a 200 that nobody understands:
                    tg_call_unclear() */
    TG_REFUSED,  /* answered 4xx: permanent; nothing was sent to the chat */
    TG_LIMITED,  /* 429 with a long retry_after: surely not sent */
    TG_NOT_SENT, /* no connection could be made: surely not sent */
    TG_UNKNOWN,  /* 5xx, cut or timed out after the request left: it may have been sent */
    TG_CANCELLED /* before an answer; it may have been sent if `sent` */
};

struct tg_call; /* one call in flight or done */

/* New. Takes `params` (a JSON object, never shared afterwards). NULL: out of memory.
 * `method` and `token` are copied. */
struct tg_call *tg_call_create(const char *token, const char *method, json_t *params);
void tg_call_destroy(struct tg_call **callp);
/* Before submit: where an attempt may have been carried out although nobody said so, the
 * call ends with TG_UNKNOWN instead of being tried again. */
void tg_call_send_once(struct tg_call *call);

/* Sends it. `done` is called exactly once, on the client's thread: it must not block. The
 * call belongs to the client until then, to the caller after. Any thread. */
void tg_client_submit(struct tg_client *client, struct tg_call *call,
                      void (*done)(struct tg_call *call, void *arg), void *arg);
/* Asks to give the call up; `done` still comes, with TG_CANCELLED unless an answer was
 * faster. */
void tg_client_cancel(struct tg_client *client, struct tg_call *call);

/* After `done`: */
enum tg_outcome tg_call_outcome(const struct tg_call *call);
bool tg_call_sent(
    const struct tg_call *call); /* a request left completely at least once */
const json_t *
tg_call_result(const struct tg_call *call); /* borrowed; NULL unless TG_OK */
const json_t *tg_call_params(const struct tg_call *call); /* borrowed */
int tg_call_status(const struct tg_call *call);           /* HTTP status, or 0 */
int tg_call_error_code(const struct tg_call *call);       /* Telegram's, or 0 */
const char *
tg_call_description(const struct tg_call *call); /* Telegram's, or the transport's */
int64_t tg_call_retry_after_ms(const struct tg_call *call); /* 0: none */
/* The answer was a 200, but not the Bot API's (a page of something in between, cut, an id
 * out of range). It counts as carried out, since sending again would double it; there is
 * no result. Questions (get…) are asked again instead. §9.6, WF-169 */
bool tg_call_unclear(const struct tg_call *call);
/* The chat has another id now, to which the call went; 0: it has not. WF-168 */
int64_t tg_call_moved_to(const struct tg_call *call);
bool tg_call_fell_back(
    const struct tg_call *call); /* sent without parse_mode in the end */
unsigned tg_call_attempts(const struct tg_call *call);

/* BW_EINVAL: URLs that tg_client_create() would refuse. */
BW_MUSTCHECK int tg_options_check(const struct tg_options *options, struct bw_error *err);
BW_MUSTCHECK int tg_client_create(struct tg_client **clientp,
                                  const struct tg_options *options, struct bw_error *err);
/* Cancels what is in flight, ends the thread. */
void tg_client_destroy(struct tg_client **clientp);

/* As the rows of <bulwark/stats.h>. */
#define TG_FIGURES(X)                                                                    \
    X(COUNT, in_flight, "inFlight", "telegram_in_flight", NULL, NULL,                    \
      "Bot API calls running")                                                           \
    X(TOTAL, calls, "calls", NULL, NULL, NULL, "Bot API calls begun")                    \
    X(TOTAL, ok, "ok", "telegram_calls", "outcome", "ok", "Bot API calls ended")         \
    X(TOTAL, refused, "refused", "telegram_calls", "outcome", "refused",                 \
      "Bot API calls ended")                                                             \
    X(TOTAL, limited, "limited", "telegram_calls", "outcome", "limited",                 \
      "Bot API calls ended")                                                             \
    X(TOTAL, not_sent, "notSent", "telegram_calls", "outcome", "not_sent",               \
      "Bot API calls ended")                                                             \
    X(TOTAL, unknown, "unknown", "telegram_calls", "outcome", "unknown",                 \
      "Bot API calls ended")                                                             \
    X(TOTAL, retries, "retries", "telegram_retries", NULL, NULL,                         \
      "Bot API calls repeated")                                                          \
    X(TOTAL, fallbacks, "fallbacks", "telegram_fallbacks", NULL, NULL,                   \
      "Messages sent without markup in the end")                                         \
    X(TOTAL, unclear, "unclear", NULL, NULL, NULL,                                       \
      "Answers of success that are not the Bot API's")                                   \
    X(TOTAL, moved, "moved", NULL, NULL, NULL, "Calls that followed a chat to a new id")

struct tg_stats {
    TG_FIGURES(BW_FIGURE_MEMBER)
};
void tg_client_stats(struct tg_client *client, struct tg_stats *stats);

#endif
