/* Telegram, HTTP and the queue in a dry run: everything goes well. */
#include "workflow/authoring/dry/dry_calls.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry/dry_later.h"
#include "workflow/authoring/dry/dry_record.h"
#include "workflow/base/mem.h"

/* --- Telegram */

struct telegram_answer {
    wf_telegram_done *done;
    void *arg;
    json_t *result;
};

static void telegram_given(void *arg)
{
    struct telegram_answer *answer = arg;
    struct wf_sent sent = {
        .outcome = WF_SEND_OK,
        .status = 200,
        .message_id = json_integer_value(json_object_get(answer->result, "message_id")),
        .result = answer->result,
    };

    answer->done(&sent, answer->arg);
    json_decref(answer->result);
    free(answer);
}

static json_t *telegram_result(struct wf_dry *dry, const char *method)
{
    json_t *known = json_object_get(json_object_get(dry->state, "telegram"), method);
    json_t *result;

    if (known != NULL)
        return json_incref(known);
    if (strncmp(method, "send", strlen("send")) != 0)
        return json_true();
    result = wf_must(json_object());
    wf_json_set(result, "message_id", json_integer(++dry->message_id));
    return result;
}

static wf_call telegram(void *arg, const char *token, const char *method, json_t *params,
                        bool once, wf_telegram_done *done, void *done_arg)
{
    struct wf_dry *dry = arg;
    json_t *call = wf_must(json_object());
    json_t *result = telegram_result(dry, method);
    struct telegram_answer *answer;

    (void)token;
    (void)once;
    wf_json_set_text(call, "method", method);
    wf_json_set(call, "params", params);
    wf_json_set(call, "message_id", json_incref(json_object_get(result, "message_id")));
    dry_record(dry, "telegram", call);
    if (done == NULL) {
        json_decref(result);
        return 0;
    }
    answer = wf_alloc(sizeof(*answer));
    *answer = (struct telegram_answer){ done, done_arg, result };
    dry_later(dry, telegram_given, answer, 0);
    return 0;
}

/* --- HTTP */

struct http_answer {
    web_done *done;
    void *arg;
    int status;
    char *body;
};

static void http_given(void *arg)
{
    struct http_answer *answer = arg;
    struct web_answer given = { .outcome = WEB_ANSWERED,
                                .status = answer->status,
                                .body = answer->body,
                                .len = strlen(answer->body),
                                .error = "" };

    answer->done(&given, answer->arg);
    free(answer->body);
    free(answer);
}

static wf_call http(void *arg, const struct web_request *request, web_done *done,
                    void *done_arg)
{
    struct wf_dry *dry = arg;
    const json_t *known =
        json_object_get(json_object_get(dry->state, "http"), request->url);
    const json_t *body = json_object_get(known, "body");
    struct http_answer *answer = wf_alloc(sizeof(*answer));
    json_t *call = wf_must(json_object());
    json_int_t status = json_integer_value(json_object_get(known, "status"));

    wf_json_set_text(call, "method", request->method);
    wf_json_set_text(call, "url", request->url);
    if (request->body != NULL)
        wf_json_set_text(call, "body", request->body);
    dry_record(dry, "http", call);
    *answer =
        (struct http_answer){ done, done_arg, status > 0 ? (int)status : 200, NULL };
    if (json_is_string(body))
        answer->body = wf_strdup(json_string_value(body));
    else
        answer->body = body != NULL ? wf_dumps(body) : wf_strdup("{}");
    dry_later(dry, http_given, answer, 0);
    return 0;
}

static void cancel(void *arg, enum wf_call_kind kind, wf_call call)
{
    (void)arg;
    (void)kind;
    (void)call; /* nothing is ever under way */
}

/* --- the queue */

struct add_answer {
    wf_added *done;
    void *arg;
};

static void added(void *arg)
{
    struct add_answer *answer = arg;

    answer->done(true, NULL, answer->arg);
    free(answer);
}

/* Delays are run later; a wait's time limit is not: the next update comes before it. */
static void keep_delay(struct wf_dry *dry, const char *data, const json_t *opts)
{
    json_t *parsed = wf_loads(data), *delay;

    if (!json_is_true(json_object_get(parsed, "waitTimeout"))) {
        json_int_t ms = json_integer_value(json_object_get(opts, "delay"));

        delay = wf_must(json_object());
        wf_json_set_text(delay, "id", wf_member(opts, "jobId", "delay"));
        wf_json_set_text(delay, "data", data);
        wf_json_set(delay, "due", json_integer(dry->now_ms + ms));
        wf_check(json_array_append_new(dry->delays, delay) == 0 ? BW_OK : BW_ENOMEM);
    }
    json_decref(parsed);
}

static void add_job(void *arg, struct bw_job *job, const char *queue, const char *name,
                    const char *data, const char *opts, wf_added *done, void *done_arg)
{
    struct wf_dry *dry = arg;
    struct add_answer *answer = wf_alloc(sizeof(*answer));
    json_t *call = wf_must(json_object()), *parsed = wf_loads(opts);

    (void)job;
    wf_json_set_text(call, "queue", queue);
    wf_json_set_text(call, "name", name);
    wf_json_set(call, "data", wf_loads(data));
    wf_json_set(call, "delay", json_incref(json_object_get(parsed, "delay")));
    dry_record(dry, "job", call);
    keep_delay(dry, data, parsed);
    json_decref(parsed);
    *answer = (struct add_answer){ done, done_arg };
    dry_later(dry, added, answer, 0);
}

/* Only the scan of schedules adds several, and it is off. */
static void add_jobs(void *arg, const char *queue, const char *name,
                     const struct wf_new_job *jobs, size_t count, wf_jobs_added *done,
                     void *done_arg)
{
    (void)arg;
    (void)queue;
    (void)name;
    (void)jobs;
    (void)count;
    done(NULL, "a dry run adds no jobs", done_arg);
}

void dry_calls_effects(struct wf_effects *effects)
{
    effects->telegram = telegram;
    effects->http = http;
    effects->cancel = cancel;
    effects->add_job = add_job;
    effects->add_jobs = add_jobs;
}
