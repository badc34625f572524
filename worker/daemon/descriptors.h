/* Descriptors 0, 1 and 2 of a process that was started without some of them. */
#ifndef WORKER_DESCRIPTORS_H
#define WORKER_DESCRIPTORS_H

#include <stdbool.h>

/* Opens on /dev/null what is closed, so that no socket or pipe ever gets such a number:
 * it would be written to as a log, be refused by the event loop, and be in the way of a
 * child's own. Before anything else is opened. False: that cannot be had. */
bool wk_descriptors_complete(void);

#endif
