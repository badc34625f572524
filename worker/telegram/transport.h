/* A call of the Bot API as an HTTP request: one attempt per start; what to make of it is
 * decided elsewhere. Belongs to the client's thread. */
#ifndef WORKER_TELEGRAM_TRANSPORT_H
#define WORKER_TELEGRAM_TRANSPORT_H

#include <bulwark/time.h>

#include "telegram/call.h"

#define TG_FLYING_MAX 256 /* requests at once; more wait for one to end */

struct wk_curl;
struct curl_slist;

struct tg_transport {
    struct wk_curl *curl;
    struct curl_slist *headers;
    /* The API's URL without a slash at the end. */
    char *root;
    /* "" for none. */
    char *proxy;
    int64_t connect_timeout_ms, timeout_ms;
};

/* Borrows `curl`. Zeroed on failure. */
BW_MUSTCHECK int tg_transport_init(struct tg_transport *transport, struct wk_curl *curl,
                                   const struct tg_options *options,
                                   struct bw_error *err);
/* Nothing must fly. Harmless on a zeroed struct. */
void tg_transport_fini(struct tg_transport *transport);

/* Begins an attempt. BW_EINVAL: a token or method that cannot be in a URL; BW_ENOMEM.
 * Then the call's description says why. */
BW_MUSTCHECK int tg_transport_start(struct tg_transport *transport, struct tg_call *call);
/* Its transfer is over with this code of curl's. The call's status and answer, and what
 * is returned, tell how. */
struct tg_attempt tg_transport_ended(struct tg_transport *transport, struct tg_call *call,
                                     int code);
/* Gives an attempt up. Says how it stands. */
enum tg_event tg_transport_abort(struct tg_transport *transport, struct tg_call *call);

#endif
