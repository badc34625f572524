/* A job decoded from a fetch's reply (lua/includes/job_reply.lua). */
#include "queue/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum number_field {
    TIMESTAMP,
    DELAY,
    PRIORITY,
    PROCESSED_ON,
    ATTEMPTS_STARTED,
    ATTEMPTS_MADE,
    ATTEMPTS_MADE_OLD, /* before 5.0; takes precedence */
    STALLED_COUNT,
    STALLED_COUNT_OLD, /* before 5.49 */
    NUMBER_COUNT
};

#define ABSENT INT64_MIN

/* One row a field of the hash: where its text goes, or which number it is. */
static const struct field {
    const char *name;
    size_t len;
    size_t offset; /* of the struct bw_text; 0 (the block): a number */
    enum number_field number;
} fields[] = {
#define TEXT(name, member)                                                               \
    {                                                                                    \
        name, sizeof(name) - 1, offsetof(struct bw_job_data, member), 0                  \
    }
#define NUMBER(name, which)                                                              \
    {                                                                                    \
        name, sizeof(name) - 1, 0, which                                                 \
    }
    TEXT(":id", id),
    TEXT(":token", token),
    TEXT("name", name),
    TEXT("data", data),
    TEXT("opts", opts),
    TEXT("parentKey", parent_key),
    TEXT("parent", parent),
    TEXT("rjk", repeat_key),
    TEXT("deid", deduplication_id),
    TEXT("defa", deferred_failure),
    TEXT("stacktrace", stacktrace),
    TEXT("progress", progress),
    NUMBER("timestamp", TIMESTAMP),
    NUMBER("delay", DELAY),
    NUMBER("priority", PRIORITY),
    NUMBER("processedOn", PROCESSED_ON),
    NUMBER("ats", ATTEMPTS_STARTED),
    NUMBER("atm", ATTEMPTS_MADE),
    NUMBER("attemptsMade", ATTEMPTS_MADE_OLD),
    NUMBER("stc", STALLED_COUNT),
    NUMBER("stalledCounter", STALLED_COUNT_OLD),
#undef TEXT
#undef NUMBER
};

static const struct field *find_field(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].len == len && memcmp(fields[i].name, name, len) == 0)
            return &fields[i];
    }
    return NULL;
}

static struct bw_text *text_at(struct bw_job_data *job, const struct field *field)
{
    return (struct bw_text *)(void *)((char *)job + field->offset);
}

/* Points the texts into the reply and reads the numbers. */
static void read_fields(struct bw_job_data *job, int64_t numbers[NUMBER_COUNT],
                        const struct bw_reply *reply)
{
    for (size_t i = 0; i + 1 < bw_reply_count(reply); i += 2) {
        size_t len;
        const char *name = bw_reply_text(bw_reply_at(reply, i), &len);
        const struct field *field = find_field(name, len);
        const struct bw_reply *value = bw_reply_at(reply, i + 1);

        if (field == NULL)
            continue;
        if (field->offset != 0) {
            struct bw_text *text = text_at(job, field);

            text->data = bw_reply_text(value, &text->len);
        } else {
            numbers[field->number] = strtoll(bw_reply_text(value, NULL), NULL, 10);
        }
    }
}

/* Copies what the texts point to into one block of the job's own. */
static int own_texts(struct bw_job_data *job)
{
    size_t size = 1;
    char *at;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].offset != 0 && text_at(job, &fields[i])->data != NULL)
            size +=
                text_at(job, &fields[i])->len + 1; /* both lie in one reply in memory */
    }
    job->block = at = bw_alloc(size);
    if (at == NULL)
        return BW_ENOMEM;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct bw_text *text = text_at(job, &fields[i]);

        if (fields[i].offset == 0 || text->data == NULL)
            continue;
        memcpy(at, text->data, text->len);
        at[text->len] = '\0';
        text->data = at;
        at += text->len + 1;
    }
    return BW_OK;
}

static unsigned to_count(int64_t number)
{
    if (number < 0)
        return 0;
    return number < INT32_MAX ? (unsigned)number : INT32_MAX;
}

static void set_numbers(struct bw_job_data *job, const int64_t numbers[NUMBER_COUNT])
{
    int64_t made = numbers[ATTEMPTS_MADE_OLD], stalled = numbers[STALLED_COUNT];

    job->timestamp = numbers[TIMESTAMP];
    job->delay = numbers[DELAY];
    job->priority = numbers[PRIORITY];
    job->processed_on = numbers[PROCESSED_ON];
    job->attempts_started = to_count(numbers[ATTEMPTS_STARTED]);
    job->attempts_made = to_count(made != ABSENT ? made : numbers[ATTEMPTS_MADE]);
    job->stalled_count =
        to_count(stalled != ABSENT ? stalled : numbers[STALLED_COUNT_OLD]);
}

int bw_job_data_decode(struct bw_job_data *job, const struct bw_reply *reply,
                       struct bw_error *err)
{
    int64_t numbers[NUMBER_COUNT] = {
        [ATTEMPTS_MADE_OLD] = ABSENT, [STALLED_COUNT] = ABSENT
    };

    memset(job, 0, sizeof(*job));
    if (bw_reply_kind(reply) != BW_REPLY_ARRAY || bw_reply_count(reply) % 2 != 0)
        return bw_error_set(err, BW_EPROTO, "job: the reply is no list of fields");
    read_fields(job, numbers, reply);
    if (job->id.data == NULL || job->token.data == NULL) {
        memset(job, 0, sizeof(*job));
        return bw_error_set(err, BW_EPROTO, "job: the reply has no id or token");
    }
    set_numbers(job, numbers);
    if (own_texts(job) != BW_OK ||
        bw_job_opts_parse(&job->parsed, job->opts.data, job->opts.len) != BW_OK) {
        bw_job_data_fini(job);
        return bw_error_set(err, BW_ENOMEM, "job: out of memory");
    }
    return BW_OK;
}

void bw_job_data_fini(struct bw_job_data *job)
{
    free(job->block);
    memset(job, 0, sizeof(*job));
}
