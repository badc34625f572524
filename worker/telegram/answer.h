/* What the Bot API answered: one JSON object, taken apart. */
#ifndef WORKER_TELEGRAM_ANSWER_H
#define WORKER_TELEGRAM_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define TG_DESCRIPTION_MAX 512

/* Storage of the caller; a zeroed struct is empty. */
struct tg_answer {
    int error_code; /* 0: none */
    int64_t retry_after_ms;
    int64_t migrate_to; /* the chat's new id; 0: none */
    json_t *result;     /* owned; only of ok:true */
    char description[TG_DESCRIPTION_MAX];
};

/* False when the text is not an answer of the Bot API; then only `description` is set.
 * Whatever was there is dropped first. */
bool tg_answer_parse(struct tg_answer *answer, const char *text, size_t len);
void tg_answer_fini(struct tg_answer *answer);

/* Copies `text` on one line, with every occurrence of the secret replaced. */
void tg_scrub(char *out, size_t size, const char *text, const char *secret);

#endif
