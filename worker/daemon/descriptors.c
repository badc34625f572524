#include "daemon/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool wk_descriptors_complete(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number is this one: those below are open by now. */
        if (open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}
