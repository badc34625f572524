#include <bulwark/log.h>

enum { MOST_FIELDS = 32 };

void bw_log_init(struct bw_log *log, const struct bw_log_sink *sink)
{
    *log = (struct bw_log){ .sink = sink };
}

void bw_log_child(struct bw_log *log, const struct bw_log *parent, const char *key,
                  const char *text)
{
    *log = (struct bw_log){ .sink = parent != NULL ? parent->sink : NULL,
                            .parent = parent,
                            .field = bw_text(key, text) };
}

void bw_log_write(const struct bw_log *log, enum bw_log_level level,
                  const struct bw_log_field *fields, const char *message)
{
    struct bw_log_field all[MOST_FIELDS];
    size_t depth = 0, count = 0;

    if (!bw_log_enabled(log, level))
        return;
    for (const struct bw_log *at = log; at != NULL; at = at->parent)
        depth += at->field.key != NULL;
    /* Contexts are few; what exceeds the room is left out, innermost first. */
    for (const struct bw_log *at = log; at != NULL; at = at->parent) {
        if (at->field.key == NULL)
            continue;
        depth--;
        if (depth < MOST_FIELDS) {
            all[depth] = at->field;
            if (count <= depth)
                count = depth + 1;
        }
    }
    for (; fields != NULL && fields->key != NULL && count < MOST_FIELDS; fields++)
        all[count++] = *fields;
    log->sink->write(log->sink->arg, level, message, all, count);
}
