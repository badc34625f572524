/* Structured logging: one event is one line, a message plus fields.
 *
 * The library writes nothing itself; it calls the sink it was given, from any of its
 * threads, so a sink must be safe for that. Every object that logs carries a `struct
 * bw_log`, built from its parent's with one field more (queue, job, conn …), so no call
 * repeats them. No payload, password or URL with credentials is ever logged.
 *
 * error: someone must act; warning: we coped; info: steps of life; debug: one line a job
 * step. */
#ifndef BULWARK_LOG_H
#define BULWARK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bulwark/api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bw_log_level { BW_LOG_DEBUG, BW_LOG_INFO, BW_LOG_WARNING, BW_LOG_ERROR };

struct bw_log_field {
    const char *key;
    const char *text; /* NULL: the number counts */
    int64_t number;   /* with a text: how much of it is meant, NULs inside included; < 0:
                         up to its first. A NUL ends it there or later. */
};

struct bw_log_sink {
    /* Lines below it are not made; changed by atomic stores only. */
    enum bw_log_level level;
    /* Fields come outermost first. All pointers are borrowed for the call. Must not block
     * long: the reactor calls it too. */
    void (*write)(void *arg, enum bw_log_level level, const char *message,
                  const struct bw_log_field *fields, size_t count);
    void *arg;
};

/* A place in the tree of contexts. Storage of its owner; must outlive its children; the
 * sink and the field's text are borrowed for as long as it lives. A zeroed struct logs
 * nothing. */
struct bw_log {
    const struct bw_log_sink *sink;
    const struct bw_log *parent;
    struct bw_log_field field;
};

BW_API void bw_log_init(struct bw_log *log, const struct bw_log_sink *sink);
BW_API void bw_log_child(struct bw_log *log, const struct bw_log *parent, const char *key,
                         const char *text);
/* The same with any field. */
BW_API void bw_log_child_field(struct bw_log *log, const struct bw_log *parent,
                               struct bw_log_field field);

/* True when a line of this level would be written; for work that only serves a log line.
 */
static inline bool bw_log_enabled(const struct bw_log *log, enum bw_log_level level)
{
    return log != NULL && log->sink != NULL &&
           level >= __atomic_load_n(&log->sink->level, __ATOMIC_RELAXED);
}

/* `fields` ends with a field whose key is NULL; NULL for none. Call it through bw_log().
 */
BW_API void bw_log_write(const struct bw_log *log, enum bw_log_level level,
                         const struct bw_log_field *fields, const char *message);

static inline struct bw_log_field bw_text(const char *key, const char *text)
{
    return (struct bw_log_field){ key, text != NULL ? text : "", -1 };
}

/* For texts that may have NULs inside, and for the first part of one. */
static inline struct bw_log_field bw_text_len(const char *key, const char *text,
                                              size_t len)
{
    return (struct bw_log_field){ key, text != NULL ? text : "", (int64_t)len };
}

static inline struct bw_log_field bw_num(const char *key, int64_t number)
{
    return (struct bw_log_field){ key, NULL, number };
}

/* bw_log(&conn->log, BW_LOG_WARNING, "connection lost", bw_text("reason", err.text),
 *        bw_num("retryMs", 50));  The arguments are evaluated only when the level is on.
 */
#define bw_log(log, level, message, ...)                                                 \
    do {                                                                                 \
        if (bw_log_enabled((log), (level))) {                                            \
            /* An unused first one, so that the list may be empty. */                    \
            const struct bw_log_field bw_fields_[] = { { 0 }, ##__VA_ARGS__, { 0 } };    \
            bw_log_write((log), (level), bw_fields_ + 1, (message));                     \
        }                                                                                \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
