/* What a configuration says of itself, told at a start and when it is read again. */
#ifndef WORKER_NOTES_H
#define WORKER_NOTES_H

#include <bulwark/log.h>

#include "config/config.h"

/* Each note is a warning. */
void wk_notes_log(const struct bw_log *log, const struct wk_config *config);

#endif
