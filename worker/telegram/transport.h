/* Sends HTTP requests, many at once: the only user of libcurl for Telegram. One attempt
 * per start; what to make of it is decided elsewhere. Belongs to the client's thread, but
 * for the wake-up. */
#ifndef WORKER_TELEGRAM_TRANSPORT_H
#define WORKER_TELEGRAM_TRANSPORT_H

#include <bulwark/time.h>

#include "telegram/call.h"

#define TG_FLYING_MAX 256 /* requests at once; more wait for one to end */

struct tg_transport {
    void *multi; /* CURLM */
    struct curl_slist *headers;
    void *idle[TG_FLYING_MAX]; /* CURL handles to be used again */
    size_t idle_count;
    size_t flying;
    int epoll;
    int wake;             /* eventfd */
    struct bw_mono timer; /* curl's; ns INT64_MAX: none */
    char *root;           /* the API's URL without a slash at the end */
    char *proxy;          /* "" for none */
    int64_t connect_timeout_ms, timeout_ms;

    /* An attempt is over; the call's status, answer and `attempt` tell how. */
    void (*ended)(struct tg_call *call, const struct tg_attempt *attempt, void *arg);
    void *arg;
};

/* `ended` and `arg` are the caller's to set before the first start. Zeroed on failure. */
BW_MUSTCHECK int tg_transport_init(struct tg_transport *transport,
                                   const struct tg_options *options,
                                   struct bw_error *err);
/* Nothing must fly. Harmless on a zeroed struct. */
void tg_transport_fini(struct tg_transport *transport);

/* Begins an attempt. BW_EINVAL: a token or method that cannot be in a URL; BW_ENOMEM.
 * Then `ended` is not called, and the call's description says why. */
BW_MUSTCHECK int tg_transport_start(struct tg_transport *transport, struct tg_call *call);
/* Gives an attempt up; `ended` is not called. Says how it stands. */
enum tg_event tg_transport_abort(struct tg_transport *transport, struct tg_call *call);

/* Waits for the network, the wake-up or `until` (ns INT64_MAX: for ever) and does what is
 * due. */
void tg_transport_turn(struct tg_transport *transport, struct bw_mono until);
/* Ends the wait. Any thread. */
void tg_transport_wake(struct tg_transport *transport);

#endif
