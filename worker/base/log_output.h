/* Where the daemon's log lines go: standard error, as JSON or as text, one write(2) a
 * line.
 *
 * Any thread may log. A line holds at most PIPE_BUF bytes, so that lines of several
 * threads and processes never mix; what does not fit is cut. When nobody reads the other
 * end lines are dropped and counted, so that a stuck log collector does not stop the
 * jobs. */
#ifndef WORKER_LOG_OUTPUT_H
#define WORKER_LOG_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <bulwark/log.h>

struct wk_log_output {
    struct bw_log_sink sink;
    int fd;
    bool json;        /* atomic */
    bool stuck;       /* atomic: the last line was dropped */
    uint64_t dropped; /* atomic: lines since the last one written */
};

void wk_log_output_init(struct wk_log_output *output, int fd, enum bw_log_level level,
                        bool json);
/* While other threads log. */
void wk_log_output_change(struct wk_log_output *output, enum bw_log_level level,
                          bool json);

#endif
