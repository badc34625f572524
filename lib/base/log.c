#include <bulwark/log.h>

/* Deeper contexts and longer lists than these lose their last fields, never the line. */
#define FIELDS_MAX 24

void bw_log_init(struct bw_log *log, const struct bw_log_sink *sink)
{
    *log = (struct bw_log){ .sink = sink };
}

void bw_log_child_field(struct bw_log *log, const struct bw_log *parent,
                        struct bw_log_field field)
{
    *log = (struct bw_log){ .parent = parent, .field = field };
    if (parent != NULL)
        log->sink = parent->sink;
}

void bw_log_child(struct bw_log *log, const struct bw_log *parent, const char *key,
                  const char *text)
{
    bw_log_child_field(log, parent, bw_text(key, text));
}

/* Outermost first. */
static size_t add_context(const struct bw_log *log, struct bw_log_field *fields,
                          size_t count)
{
    if (log->parent != NULL)
        count = add_context(log->parent, fields, count);
    if (log->field.key != NULL && count < FIELDS_MAX)
        fields[count++] = log->field;
    return count;
}

void bw_log_write(const struct bw_log *log, enum bw_log_level level,
                  const struct bw_log_field *fields, const char *message)
{
    struct bw_log_field all[FIELDS_MAX];
    size_t count;

    if (!bw_log_enabled(log, level))
        return;
    count = add_context(log, all, 0);
    for (; fields != NULL && fields->key != NULL && count < FIELDS_MAX; fields++)
        all[count++] = *fields;
    log->sink->write(log->sink->arg, level, message, all, count);
}
