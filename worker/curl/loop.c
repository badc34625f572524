#include "curl/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bulwark/thread.h>

#include "base/assert.h"

#define EVENTS_MAX 64
#define IDLE_MAX   256 /* handles kept to be used again */
#define WAIT_MAX   60000

struct wk_curl {
    struct wk_curl_user user;
    CURLM *multi;
    pthread_t thread;
    bool started;
    /* eventfd, in the set that epoll waits for. */
    int wake, epoll;
    /* curl's; ns INT64_MAX: none. */
    struct bw_mono timer;
    CURL *idle[IDLE_MAX];
    size_t idle_count;
    size_t flying;
};

static const struct bw_mono never = { INT64_MAX };

/* A call of curl that can only fail by a mistake of ours. */
static void must(CURLMcode code)
{
    if (code != CURLM_OK)
        bw_thread_check((int)code, "a call of curl's multi interface");
}

/* --- what curl asks */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct wk_curl *curl = arg;
    struct epoll_event event = { .data.fd = fd };

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        /* It may be closed already, and with that gone from the set. */
        (void)epoll_ctl(curl->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                   ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
    if (epoll_ctl(curl->epoll, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
                  &event) != 0)
        return -1;
    if (known == NULL)
        must(curl_multi_assign(curl->multi, fd, curl));
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct wk_curl *curl = arg;

    (void)multi;
    curl->timer = timeout_ms < 0 ? never : bw_mono_add_ms(bw_mono_now(NULL), timeout_ms);
    return 0;
}

/* --- transfers */

CURL *wk_curl_take(struct wk_curl *curl)
{
    if (curl->idle_count > 0)
        return curl->idle[--curl->idle_count];
    return curl_easy_init();
}

void wk_curl_give(struct wk_curl *curl, CURL *easy)
{
    curl_easy_reset(easy);
    if (curl->idle_count < IDLE_MAX)
        curl->idle[curl->idle_count++] = easy;
    else
        curl_easy_cleanup(easy);
}

bool wk_curl_begin(struct wk_curl *curl, CURL *easy)
{
    if (curl_multi_add_handle(curl->multi, easy) != CURLM_OK)
        return false;
    curl->flying++;
    return true;
}

void wk_curl_abort(struct wk_curl *curl, CURL *easy)
{
    BW_ASSERT(curl->flying > 0);
    must(curl_multi_remove_handle(curl->multi, easy));
    curl->flying--;
}

size_t wk_curl_flying(const struct wk_curl *curl)
{
    return curl->flying;
}

static void collect(struct wk_curl *curl)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(curl->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        void *what = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        bw_thread_check((int)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &what),
                        "curl_easy_getinfo");
        wk_curl_abort(curl, easy); /* the message is gone with it */
        curl->user.ended(what, code, curl->user.arg);
    }
}

/* --- the thread */

static int wait_ms(const struct wk_curl *curl, struct bw_mono until)
{
    struct bw_mono at = bw_mono_before(curl->timer, until) ? curl->timer : until;
    int64_t ms;

    if (at.ns == never.ns)
        return -1;
    ms = bw_mono_ms_until(bw_mono_now(NULL), at);
    return ms < 0 ? 0 : ms > WAIT_MAX ? WAIT_MAX : (int)ms;
}

static void drain_wake(const struct wk_curl *curl)
{
    uint64_t count;

    if (read(curl->wake, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
        bw_thread_check(errno, "read from an eventfd");
}

static void serve(struct wk_curl *curl, const struct epoll_event *event)
{
    int what = 0;
    int running;

    if (event->data.fd == curl->wake) {
        drain_wake(curl);
        return;
    }
    if ((event->events & EPOLLIN) != 0)
        what |= CURL_CSELECT_IN;
    if ((event->events & EPOLLOUT) != 0)
        what |= CURL_CSELECT_OUT;
    if ((event->events & (EPOLLERR | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_ERR;
    must(curl_multi_socket_action(curl->multi, event->data.fd, what, &running));
}

static void wait_and_serve(struct wk_curl *curl, struct bw_mono until)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(curl->epoll, events, EVENTS_MAX, wait_ms(curl, until));
    int running;

    if (count < 0 && errno != EINTR)
        bw_thread_check(errno, "epoll_wait");
    for (int i = 0; i < count; i++)
        serve(curl, &events[i]);
    if (!bw_mono_before(bw_mono_now(NULL), curl->timer)) {
        curl->timer = never;
        must(curl_multi_socket_action(curl->multi, CURL_SOCKET_TIMEOUT, 0, &running));
    }
    collect(curl);
}

static void *curl_main(void *arg)
{
    struct wk_curl *curl = arg;
    struct bw_mono until = never;

    while (curl->user.turn(curl->user.arg, &until)) {
        wait_and_serve(curl, until);
        until = never;
    }
    return NULL;
}

void wk_curl_wake(struct wk_curl *curl)
{
    uint64_t one = 1;

    /* Full means that it is awake already. */
    if (write(curl->wake, &one, sizeof one) < 0 && errno != EAGAIN && errno != EINTR)
        bw_thread_check(errno, "write to an eventfd");
}

/* --- life */

static int open_multi(struct wk_curl *curl)
{
    curl->multi = curl_multi_init();
    if (curl->multi == NULL)
        return BW_ENOMEM;
    must(curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket));
    must(curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl));
    must(curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timer));
    must(curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl));
    if (curl->user.kept > 0)
        must(curl_multi_setopt(curl->multi, CURLMOPT_MAXCONNECTS, curl->user.kept));
    if (curl->user.connections > 0)
        must(curl_multi_setopt(curl->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                               curl->user.connections));
    return BW_OK;
}

static int open_events(struct wk_curl *curl, struct bw_error *err)
{
    const char *name = curl->user.name;
    struct epoll_event event = { .events = EPOLLIN };

    curl->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (curl->epoll < 0)
        return bw_error_errno(err, errno, "%s: epoll", name);
    curl->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (curl->wake < 0)
        return bw_error_errno(err, errno, "%s: eventfd", name);
    event.data.fd = curl->wake;
    if (epoll_ctl(curl->epoll, EPOLL_CTL_ADD, curl->wake, &event) != 0)
        return bw_error_errno(err, errno, "%s: epoll", name);
    return BW_OK;
}

int wk_curl_create(struct wk_curl **curlp, const struct wk_curl_user *user,
                   struct bw_error *err)
{
    struct wk_curl *curl = calloc(1, sizeof *curl);
    int rc;

    *curlp = NULL;
    if (curl == NULL)
        return bw_error_set(err, BW_ENOMEM, "%s: out of memory", user->name);
    curl->user = *user;
    curl->wake = curl->epoll = -1;
    curl->timer = never;
    rc = open_multi(curl) == BW_OK
             ? open_events(curl, err)
             : bw_error_set(err, BW_ENOMEM, "%s: out of memory", user->name);
    if (rc == BW_OK)
        *curlp = curl;
    else
        wk_curl_destroy(&curl);
    return rc;
}

int wk_curl_start(struct wk_curl *curl, struct bw_error *err)
{
    int failed = pthread_create(&curl->thread, NULL, curl_main, curl);

    curl->started = failed == 0;
    return failed == 0 ? BW_OK
                       : bw_error_errno(err, failed, "%s: thread", curl->user.name);
}

void wk_curl_destroy(struct wk_curl **curlp)
{
    struct wk_curl *curl = *curlp;

    if (curl == NULL)
        return;
    if (curl->started) {
        wk_curl_wake(curl);
        bw_thread_check(pthread_join(curl->thread, NULL), "pthread_join");
    }
    *curlp = NULL; /* now: what ends on the thread still goes by it */
    BW_ASSERT(curl->flying == 0);
    while (curl->idle_count > 0)
        curl_easy_cleanup(curl->idle[--curl->idle_count]);
    if (curl->multi != NULL)
        must(curl_multi_cleanup(curl->multi));
    if (curl->wake >= 0)
        (void)close(curl->wake); /* nothing is buffered in it */
    if (curl->epoll >= 0)
        (void)close(curl->epoll); /* nor in this */
    free(curl);
}
