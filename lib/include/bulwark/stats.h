/* What a worker counts and can be asked for at any time.
 *
 * A figure is one row. The structs come from the rows, and so does all that a program
 * makes of them: the daemon's /status, its metrics and what it logs at SIGUSR1. */
#ifndef BULWARK_STATS_H
#define BULWARK_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* type, member, name, name of its metric (NULL: none), label and its value (NULL: none),
 * what it is.
 *
 * Types: TOTAL, which only grows; COUNT; FLAG; AT_MS, a wall clock, 0: never; FOR_MS, a
 * time, -1: never. Metrics of the last two are in seconds. */

/* Of a queue; kept by its reactor. */
#define BW_QUEUE_FIGURES(X)                                                              \
    X(COUNT, in_flight, "inFlight", "in_flight", NULL, NULL, "Jobs running")             \
    X(FLAG, paused, "paused", "queue_paused", NULL, NULL,                                \
      "The queue is paused for all workers")                                             \
    X(AT_MS, last_fetch_ms, "lastFetchMs", "last_fetch_seconds", NULL, NULL,             \
      "Last answered fetch since the epoch")                                             \
    X(AT_MS, last_job_ms, "lastJobMs", "last_job_seconds", NULL, NULL,                   \
      "Last fetch that brought a job since the epoch")                                   \
    X(AT_MS, last_renew_ms, "lastRenewMs", "last_renew_seconds", NULL, NULL,             \
      "Last answered renewal since the epoch")                                           \
    X(FOR_MS, unheard_ms, "unheardMs", "unheard_seconds", NULL, NULL,                    \
      "Time that a drained queue has waited without an answer of Redis")                 \
    X(TOTAL, completed, "completed", "jobs_completed", NULL, NULL, "Jobs completed")     \
    X(TOTAL, failed, "failed", "jobs_failed", NULL, NULL, "Jobs failed for good")        \
    X(TOTAL, retried, "retried", "jobs_retried", NULL, NULL,                             \
      "Jobs put back for another attempt")                                               \
    X(TOTAL, delayed, "delayed", "jobs_delayed", NULL, NULL,                             \
      "Jobs put back with a delay")                                                      \
    X(TOTAL, put_back, "putBack", "jobs_put_back", NULL, NULL,                           \
      "Jobs put back unfinished at a drain")                                             \
    X(TOTAL, stalled, "stalled", "jobs_stalled", NULL, NULL, "Stalled jobs found")       \
    X(TOTAL, locks_lost, "locksLost", "locks_lost", NULL, NULL,                          \
      "Jobs whose lock was lost")

/* Of a queue; what it was told. */
#define BW_QUEUE_SETTINGS(X)                                                             \
    X(COUNT, concurrency, "concurrency", "concurrency", NULL, NULL,                      \
      "Jobs that may run at once")                                                       \
    X(FLAG, quiet, "quiet", "quiet", NULL, NULL, "Fetching is stopped on this worker")

/* Of a worker. */
#define BW_WORKER_FIGURES(X)                                                             \
    X(FLAG, connected, "connected", "redis_connected", NULL, NULL, "Redis can be used")  \
    X(FLAG, draining, "draining", "draining", NULL, NULL,                                \
      "The worker takes no more jobs and ends")                                          \
    X(AT_MS, last_turn_ms, "lastTurnMs", "last_turn_seconds", NULL, NULL,                \
      "Last turn of the reactor since the epoch")                                        \
    X(FLAG, deaf, "deaf", "deaf", NULL, NULL,                                            \
      "No fetch, or no wait for new jobs, is answered on links that work")               \
    X(FLAG, waits_refused, "waitsRefused", "waits_refused", NULL, NULL,                  \
      "Redis refuses waits for new jobs: only polls find them")                          \
    X(FOR_MS, command_heard_ms, "commandHeardMs", "redis_heard_age_seconds",             \
      "connection", "command", "Since Redis was heard")                                  \
    X(FOR_MS, blocking_heard_ms, "blockingHeardMs", "redis_heard_age_seconds",           \
      "connection", "blocking", "Since Redis was heard")                                 \
    X(TOTAL, reconnects, "reconnects", "redis_reconnects", NULL, NULL,                   \
      "Connections to Redis made again")                                                 \
    X(TOTAL, script_calls, "scriptCalls", "script_calls", NULL, NULL,                    \
      "Calls of the queue's scripts")

#define BW_FIGURE_TOTAL  uint64_t
#define BW_FIGURE_COUNT  unsigned
#define BW_FIGURE_FLAG   bool
#define BW_FIGURE_AT_MS  int64_t
#define BW_FIGURE_FOR_MS int64_t
#define BW_FIGURE_MEMBER(type, member, name, metric, label, value, help)                 \
    BW_FIGURE_##type member;

struct bw_queue_stats {
    /* Borrowed from the worker. */
    const char *name;
    /* By its handler. */
    bool held;
    BW_QUEUE_SETTINGS(BW_FIGURE_MEMBER)
    BW_QUEUE_FIGURES(BW_FIGURE_MEMBER)
};

struct bw_worker_stats {
    /* Wall clock since which `connected` holds, of both connections; 0: never. */
    int64_t connected_at_ms;
    /* `deaf`, and it is a wait. */
    bool unheard;
    size_t queue_count;
    BW_WORKER_FIGURES(BW_FIGURE_MEMBER)
};

#endif
