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

/* Field, name of the metric, what it is. */
#define WF_COUNTERS(X)                                                                   \
    X(messages, "workflow_messages", "Inbound updates answered")                         \
    X(db_trips, "workflow_db_round_trips", "Batches sent to PostgreSQL for them")        \
    X(db_statements, "workflow_db_statements", "Statements in these batches")            \
    X(trips_over, "workflow_db_trips_exceeded",                                          \
      "Messages that took more than five round trips")                                   \
    X(patterns_exceeded, "workflow_patterns_exceeded",                                   \
      "Messages for which a trigger's pattern was given up as too slow")                 \
    X(sends, "workflow_telegram_calls", "Bot API calls that a run waited for")           \
    X(steps, "workflow_steps", "Nodes executed")                                         \
    X(unknown_resent, "workflow_unknown_resent",                                         \
      "Messages sent again that may have been sent")                                     \
    X(unknown_dropped, "workflow_unknown_dropped",                                       \
      "Messages not sent again for that reason")                                         \
    X(unknown_marked, "workflow_unknown_marked",                                         \
      "The same, marked in the execution's log")                                         \
    X(token_holds, "workflow_token_holds",                                               \
      "Projects held because Telegram refused their token")                              \
    X(pauses, "workflow_chat_pauses", "Jobs put off because Telegram asked for a pause") \
    X(unclear_answers, "workflow_unclear_answers",                                       \
      "Messages counted as sent after an answer that was not the Bot API's")             \
    X(chats_moved, "workflow_chats_moved", "Chats followed to another id")               \
    X(notices_dropped, "workflow_notices_dropped",                                       \
      "Notices that found no place in the limits")                                       \
    X(handed_back, "workflow_handed_back",                                               \
      "Jobs given back because the database did not serve")                              \
    X(statements_refused, "workflow_statements_refused",                                 \
      "Statements that only some nodes need, refused by the database")                   \
    X(scans, "workflow_schedule_scans", "Minutes scanned for schedule triggers")         \
    X(redis_away, "workflow_redis_away", "Cache commands answered from memory")

/* Calls of the Bot API that were refused for good: by the person, by the chat, for the
 * token, for anything else. */
#define WF_REFUSALS(X)                                                                   \
    X(refused_blocked, "blocked")                                                        \
    X(refused_forbidden, "forbidden")                                                    \
    X(refused_token, "token")                                                            \
    X(refused_other, "other")

struct wf_counters {
#define X(field, ...) atomic_uint_fast64_t field;
    WF_COUNTERS(X)
    WF_REFUSALS(X)
#undef X
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
