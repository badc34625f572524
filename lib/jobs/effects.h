/* Side effects of jobs (progress, log, data; lib/spec/bullmq.md §7.1), in the order they
 * were asked for, each before the settle call with the end of its job.
 *
 * One whose answer was lost with the connection is sent again: setting twice is harmless,
 * and a log row that may appear twice is better than one that is missing. */
#ifndef BW_JOBS_EFFECTS_H
#define BW_JOBS_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include <bulwark/buf.h>

#include "base/list.h"
#include "redis/conn.h"
#include "jobs/letters.h"

struct bw_job;
struct bw_lane;
struct bw_reactor;

enum bw_effect_kind { BW_EFFECT_PROGRESS, BW_EFFECT_LOG, BW_EFFECT_DATA };

struct bw_effect {
    struct bw_letter letter;
    struct bw_list node;
    enum bw_effect_kind kind;
    struct bw_job
        *job; /* until it is delivered: a job's answer comes after its effects */
    struct bw_lane *lane;
    struct bw_cmd cmd;
    size_t len;
    char text[];
};

struct bw_effects {        /* the reactor's */
    struct bw_list sent;   /* their replies are awaited */
    struct bw_list lost;   /* to be sent again, before the next */
    struct bw_list unsent; /* never sent */
};

/* New, any thread: the reactor frees it after delivery through its letter. NULL: out of
 * memory. */
struct bw_effect *bw_effect_create(struct bw_job *job, enum bw_effect_kind kind,
                                   const char *text, size_t len);

/* On the reactor. */
void bw_effects_init(struct bw_effects *effects);
/* Sends what was not sent yet. */
void bw_effects_flush(struct bw_reactor *reactor);
bool bw_effects_pending(const struct bw_reactor *reactor);
void bw_effects_fini(struct bw_reactor *reactor);

#endif
