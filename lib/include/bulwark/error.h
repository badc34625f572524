/* Error codes and the text that travels with them.
 *
 * A function that can fail returns BW_OK or one negative code and, where it takes a
 * `struct bw_error`, leaves a text in it. Whoever passes an error on adds context with
 * bw_error_prefix(); whoever decides, logs it once. A struct bw_error is plain storage of
 * the caller, needs no end, and belongs to one thread. */
#ifndef BULWARK_ERROR_H
#define BULWARK_ERROR_H

#include <bulwark/api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bw_code {
    BW_OK = 0,
    BW_ENOMEM = -1, /* out of memory */
    BW_EINVAL =
        -2,      /* the caller's or the user's input is wrong; the text names the field */
    BW_EIO = -3, /* the connection failed; the request may or may not have been done */
    BW_ETIMEDOUT = -4, /* a deadline passed */
    BW_EPROTO = -5,    /* the peer said something that cannot be understood */
    BW_EREDIS = -6,    /* Redis answered with an error */
    BW_ECLOSED = -7,   /* the object is being ended, or not connected: nothing was sent */
    BW_ECANCELED = -8, /* cancelled on request */
    BW_EUNSUPPORTED = -9, /* a feature, version or method that is not there */
    BW_ESYSTEM = -10,     /* an operating system call failed */

    /* Results of the queue's scripts (lib/spec/bullmq.md §0): BW_EJOB_BASE + the script's
       number. */
    BW_EJOB_MISSING = -101,        /* -1: the job hash is missing */
    BW_EJOB_NO_LOCK = -102,        /* -2: the lock is missing */
    BW_EJOB_STATE = -103,          /* -3: the job is not in the expected state */
    BW_EJOB_PENDING = -104,        /* -4: the job has pending children */
    BW_EJOB_PARENT_MISSING = -105, /* -5: the parent is missing */
    BW_EJOB_LOCKED = -106,         /* -6: the lock belongs to someone else */
    BW_EJOB_OTHER_PARENT = -107,   /* -7: the job belongs to another living parent */
    BW_EJOB_SCHEDULED = -108,      /* -8: the current iteration of a job scheduler */
    BW_EJOB_FAILED_CHILD = -109,   /* -9: the job has failed children */
    BW_EJOB_SLOT_TAKEN = -110,     /* -10: the scheduler's iteration exists already */
    BW_EJOB_NO_SLOT = -111         /* -11: 33 slots of the scheduler are taken */
};

#define BW_ERROR_TEXT_MAX 512

struct bw_error {
    int code;
    char text[BW_ERROR_TEXT_MAX]; /* always ended by a NUL; cut at the limit */
};

/* Sets code and text; `err` may be NULL. Returns `code`, so that one can
 * `return bw_error_set(err, BW_EINVAL, "…")`. */
BW_API int bw_error_set(struct bw_error *err, int code, const char *format, ...)
    BW_PRINTF(3, 4);

/* Puts "<context>: " before the text that is there. Returns the code that is there
 * (BW_ESYSTEM when `err` is NULL). */
BW_API int bw_error_prefix(struct bw_error *err, const char *format, ...) BW_PRINTF(2, 3);

/* As bw_error_set() with BW_ESYSTEM and ": <strerror(errnum)>" at the end. */
BW_API int bw_error_errno(struct bw_error *err, int errnum, const char *format, ...)
    BW_PRINTF(3, 4);

BW_API void bw_error_clear(struct bw_error *err);

/* Borrowed, static: the short name of a code, e.g. "EINVAL"; "UNKNOWN" for any other
 * number. */
BW_API const char *bw_code_name(int code);

#ifdef __cplusplus
}
#endif

#endif
