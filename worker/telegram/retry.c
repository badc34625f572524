#include "telegram/retry.h"

#include <string.h>

#define RETRIES_MAX 3

static const int64_t pauses_ms[RETRIES_MAX] = { 500, 1000, 2000 };

bool tg_retry_is_markup(const char *description)
{
    static const char *const words[] = { "parse", "entity", "entities", "end tag",
                                         "start tag" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(description, words[i]) != NULL)
            return true;
    return false;
}

static struct tg_verdict finish(enum tg_outcome outcome)
{
    return (struct tg_verdict){ .step = TG_STEP_FINISH, .outcome = outcome };
}

static struct tg_verdict again(struct tg_history *history, enum tg_outcome at_last)
{
    if (history->failed >= RETRIES_MAX || (history->once && history->doubtful))
        return finish(at_last);
    return (struct tg_verdict){ .step = TG_STEP_RETRY,
                                .delay_ms = pauses_ms[history->failed++] };
}

/* "Surely not sent" holds only as long as no attempt is in doubt. */
static enum tg_outcome unless_doubtful(const struct tg_history *history,
                                       enum tg_outcome sure)
{
    return history->doubtful ? TG_UNKNOWN : sure;
}

static struct tg_verdict judge_limit(struct tg_history *history,
                                     const struct tg_attempt *attempt,
                                     int64_t max_retry_after_ms)
{
    int64_t pause = attempt->retry_after_ms > 0 ? attempt->retry_after_ms : 1000;

    if (pause > max_retry_after_ms || history->limited >= RETRIES_MAX)
        return finish(unless_doubtful(history, TG_LIMITED));
    history->limited++;
    return (struct tg_verdict){ .step = TG_STEP_RETRY, .delay_ms = pause };
}

static struct tg_verdict judge_answer(struct tg_history *history,
                                      const struct tg_attempt *attempt,
                                      int64_t max_retry_after_ms)
{
    if (attempt->status == 200)
        return finish(TG_OK);
    if (attempt->status == 429)
        return judge_limit(history, attempt, max_retry_after_ms);
    if (attempt->status == 400 && attempt->markup && !history->plain) {
        history->plain = true;
        return (struct tg_verdict){ .step = TG_STEP_PLAIN };
    }
    if (attempt->status == 400 && attempt->moved && !history->moved) {
        history->moved = true;
        return (struct tg_verdict){ .step = TG_STEP_MOVED };
    }
    if (attempt->status >= 300 && attempt->status < 500)
        return finish(TG_REFUSED);
    history->doubtful = true;
    return again(history, TG_UNKNOWN);
}

struct tg_verdict tg_retry_judge(struct tg_history *history,
                                 const struct tg_attempt *attempt,
                                 int64_t max_retry_after_ms)
{
    switch (attempt->event) {
    case TG_EVENT_ANSWER:
        history->sent = true;
        return judge_answer(history, attempt, max_retry_after_ms);
    case TG_EVENT_UNCLEAR:
        history->sent = true;
        if (!history->question)
            return finish(TG_OK);
        return again(history, TG_UNKNOWN);
    case TG_EVENT_CUT:
        history->sent = true;
        history->doubtful = true;
        return again(history, TG_UNKNOWN);
    case TG_EVENT_UNSENT:
        break;
    }
    return again(history, unless_doubtful(history, TG_NOT_SENT));
}
