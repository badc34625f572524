#include "telegram/answer.h"

#include <stdio.h>
#include <string.h>

#include "json/read.h"

#define RETRY_AFTER_MAX_S 86400
#define CHAT_ID_MAX       (INT64_C(1) << 52) /* the Bot API's own promise */

void tg_answer_fini(struct tg_answer *answer)
{
    json_decref(answer->result);
    *answer = (struct tg_answer){ 0 };
}

static void describe(struct tg_answer *answer, const char *text)
{
    (void)snprintf(answer->description, sizeof answer->description, "%s", text); /* cut */
}

static int64_t retry_after_ms(const json_t *parameters)
{
    const json_t *seconds = json_object_get(parameters, "retry_after");
    double value = json_number_value(seconds);

    if (!(value > 0))
        return 0;
    return value < RETRY_AFTER_MAX_S ? (int64_t)(value * 1000)
                                     : (int64_t)RETRY_AFTER_MAX_S * 1000;
}

/* The ids of chats are no longer than this. */
static int64_t migrate_to(const json_t *parameters)
{
    json_int_t id = json_integer_value(json_object_get(parameters, "migrate_to_chat_id"));

    return id > -CHAT_ID_MAX && id < CHAT_ID_MAX ? (int64_t)id : 0;
}

static bool take_apart(struct tg_answer *answer, const json_t *root)
{
    const json_t *ok = json_object_get(root, "ok");
    const char *description = json_string_value(json_object_get(root, "description"));
    json_int_t code = json_integer_value(json_object_get(root, "error_code"));

    if (!json_is_boolean(ok))
        return false;
    if (json_is_true(ok)) {
        answer->result = json_incref(json_object_get(root, "result"));
        return answer->result != NULL;
    }
    if (code < 300 || code > 599)
        return false;
    answer->error_code = (int)code;
    answer->retry_after_ms = retry_after_ms(json_object_get(root, "parameters"));
    answer->migrate_to = migrate_to(json_object_get(root, "parameters"));
    describe(answer, description != NULL ? description : "no description");
    return true;
}

bool tg_answer_parse(struct tg_answer *answer, const char *text, size_t len)
{
    json_t *root = wk_json_read(text, len, 0, NULL);
    bool good;

    tg_answer_fini(answer);
    good = take_apart(answer, root);
    if (!good)
        describe(answer, "the answer is not one of the Bot API");
    json_decref(root);
    return good;
}

void tg_scrub(char *out, size_t size, const char *text, const char *secret)
{
    size_t secret_len = strlen(secret);
    size_t len = 0;

    while (*text != '\0' && len + 1 < size) {
        if (secret_len > 0 && strncmp(text, secret, secret_len) == 0) {
            (void)snprintf(out + len, size - len, "***"); /* cut */
            len += strlen(out + len);
            text += secret_len;
            continue;
        }
        out[len++] = *text == '\n' || *text == '\r' ? ' ' : *text;
        text++;
    }
    out[len] = '\0';
}
