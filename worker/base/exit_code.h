/* The program's exit codes; scripts and service managers rely on them. */
#ifndef WORKER_EXIT_CODE_H
#define WORKER_EXIT_CODE_H

#include <bulwark/error.h>

enum wk_exit {
    WK_EXIT_OK = 0,
    WK_EXIT_FAILED = 1,
    WK_EXIT_USAGE = 2,       /* wrong usage or configuration */
    WK_EXIT_HANDED_BACK = 75 /* the drain's deadline passed and jobs were handed back */
};

/* What a failure with this code of ours ends in. */
static inline int wk_exit_of(int code)
{
    if (code == BW_OK)
        return WK_EXIT_OK;
    return code == BW_EINVAL || code == BW_EUNSUPPORTED ? WK_EXIT_USAGE : WK_EXIT_FAILED;
}

#endif
