/* HTTP transfers of libcurl, many at once, on a thread of their own: one multi handle and
 * one thread for each user.
 *
 * The user's `turn` and `ended` run on that thread, and there only are transfers begun,
 * given up and handles taken and given. What a transfer is, its options and what its end
 * means is the user's. Deadlines are what `turn` asks to be called again for. */
#ifndef WORKER_CURL_LOOP_H
#define WORKER_CURL_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include <bulwark/api.h>
#include <bulwark/error.h>
#include <bulwark/time.h>

struct wk_curl;

struct wk_curl_user {
    /* "telegram", in errors. */
    const char *name;
    /* Connections at once, more transfers wait for one; 0: no limit. */
    long connections;
    /* Connections kept for later; 0: as curl does. */
    long kept;
    /* Before each wait: does what is due. `until`, at first for ever (ns INT64_MAX), is
     * when to be called again at the latest. False: the thread ends; nothing must fly. */
    bool (*turn)(void *arg, struct bw_mono *until);
    /* A transfer is over, and its handle the user's again. `what` is its CURLOPT_PRIVATE.
     */
    void (*ended)(void *what, CURLcode code, void *arg);
    void *arg;
};

/* New: ended by wk_curl_destroy(). No thread yet; borrows nothing. */
BW_MUSTCHECK int wk_curl_create(struct wk_curl **curlp, const struct wk_curl_user *user,
                                struct bw_error *err);
BW_MUSTCHECK int wk_curl_start(struct wk_curl *curl, struct bw_error *err);
/* Waits for the thread, if it was started: `turn` must have been told to end it.
 * NULL-safe; empties the pointer. */
void wk_curl_destroy(struct wk_curl **curlp);

/* Ends the wait, so that `turn` is called. Any thread. */
void wk_curl_wake(struct wk_curl *curl);

/* --- on the thread */

/* A handle without options; NULL: out of memory. */
CURL *wk_curl_take(struct wk_curl *curl);
/* It is not needed any more; must not fly. */
void wk_curl_give(struct wk_curl *curl, CURL *easy);
/* Begins the transfer; false: out of memory. */
BW_MUSTCHECK bool wk_curl_begin(struct wk_curl *curl, CURL *easy);
/* Gives it up: `ended` is not called, and the handle is the user's again. */
void wk_curl_abort(struct wk_curl *curl, CURL *easy);
size_t wk_curl_flying(const struct wk_curl *curl);

#endif
