/* What is counted for /status and /metrics. Any thread. */
#ifndef WORKFLOW_COUNTERS_H
#define WORKFLOW_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>

enum wf_cache_class {
    WF_CACHE_VERSION,
    WF_CACHE_PROJECT,
    WF_CACHE_WAITING,
    WF_CACHE_VARIABLES,
    WF_CACHE_CLASSES
};

struct wf_counters {
    atomic_uint_fast64_t messages;          /* inbound updates answered, once each */
    atomic_uint_fast64_t db_trips;          /* batches sent for them */
    atomic_uint_fast64_t db_statements;     /* in these batches */
    atomic_uint_fast64_t trips_over;        /* messages that took more than five */
    atomic_uint_fast64_t patterns_exceeded; /* messages a pattern was given up for */
    atomic_uint_fast64_t sends;             /* calls of the Bot API a run waited for */
    atomic_uint_fast64_t steps;
    /* messages an attempt before may have sent, by what was done about them */
    atomic_uint_fast64_t unknown_resent, unknown_dropped, unknown_marked;
    /* calls of the Bot API that were refused: by the person, by the chat, for the token,
     * for anything else; and those put off by a 429 */
    atomic_uint_fast64_t refused_blocked, refused_forbidden, refused_token, refused_other;
    atomic_uint_fast64_t token_holds, pauses;
    atomic_uint_fast64_t unclear_answers, chats_moved;
    atomic_uint_fast64_t notices_dropped;    /* for want of a place in the limits */
    atomic_uint_fast64_t handed_back;        /* jobs, because of the database */
    atomic_uint_fast64_t statements_refused; /* that only some nodes need */
    atomic_uint_fast64_t redis_away;         /* commands answered from memory */
    atomic_uint_fast64_t scans; /* minutes in which schedule triggers were looked for */
    atomic_uint_fast64_t hits[WF_CACHE_CLASSES], misses[WF_CACHE_CLASSES];
};

static inline void wf_count(atomic_uint_fast64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline void wf_count_cache(struct wf_counters *counters, enum wf_cache_class class,
                                  bool hit)
{
    wf_count(hit ? &counters->hits[class] : &counters->misses[class]);
}

#endif
