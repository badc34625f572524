/* The process's environment, before it is read. Main thread, while it is the only one. */
#ifndef WORKER_ENVIRONMENT_H
#define WORKER_ENVIRONMENT_H

#include "config/config.h"

/* Takes white space off both ends of the values of our variables, in place: secrets made
 * with `echo` end with a newline. */
void wk_environment_trim(void);

/* Notes variables that look like ours and are none. */
BW_MUSTCHECK int wk_environment_note(struct wk_config *config, struct bw_error *err);

#endif
