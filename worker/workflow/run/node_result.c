/* What nodes return: the action, with its details in run->out. */
#include "workflow/run/node_result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"

void wf_result_clear(struct wf_result *result)
{
    free(result->target);
    free(result->text);
    free(result->notice);
    json_decref(result->payload);
    json_decref(result->details);
    json_decref(result->columns);
    *result = (struct wf_result){ 0 };
}

enum wf_action wf_node_next(void)
{
    return WF_NEXT;
}

enum wf_action wf_node_branch(struct wf_run *run, const char *handle, bool fallback)
{
    run->out.handle = handle;
    run->out.fallback = fallback;
    return WF_NEXT;
}

enum wf_action wf_node_goto(struct wf_run *run, const char *target)
{
    BW_ASSERT(target != NULL);
    wf_set(&run->out.target, target);
    return WF_GOTO;
}

enum wf_action wf_node_wait(struct wf_run *run, enum wf_wait_type type, json_t *payload)
{
    BW_ASSERT(type != WF_WAIT_NOTHING);
    run->out.wait = type;
    json_decref(run->out.payload);
    run->out.payload = payload;
    return WF_WAIT;
}

enum wf_action wf_node_end(struct wf_run *run, bool success, char *message)
{
    run->out.failed = !success;
    free(run->out.text);
    run->out.text = message;
    return WF_END;
}

enum wf_action wf_node_fail(struct wf_run *run, const char *format, ...)
{
    char text[BW_ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
    va_end(args);
    wf_set(&run->out.text, text);
    return WF_ERROR;
}

enum wf_action wf_node_refuse(struct wf_run *run, const char *notice, const char *format,
                              ...)
{
    char text[BW_ERROR_TEXT_MAX];
    va_list args;

    BW_ASSERT(notice != NULL);
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut is fine */
    va_end(args);
    wf_set(&run->out.text, text);
    wf_set(&run->out.notice, notice);
    return WF_ERROR;
}

void wf_node_clear_result(struct wf_run *run)
{
    wf_result_clear(&run->out);
}

void wf_node_clear(struct wf_run *run)
{
    wf_node_clear_result(run);
    json_decref(run->scratch);
    run->scratch = NULL;
    json_decref(run->roots);
    run->roots = wf_must(json_object());
    run->effect = false;
    run->outbox.message.sent = run->outbox.message.sending = 0;
    run->work.retries = 0;
}
