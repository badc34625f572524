/* Telegram, as a run uses it. §9 */
#include "workflow/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/fault_point.h"
#include "workflow/job.h"
#include "workflow/mem.h"
#include "workflow/throttle.h"
#include "workflow/under_way.h"

/* --- outcomes */

static void blocked_written(struct wf_run *run)
{
    if (wf_db_rows(run, 0) > 0)
        wf_person_changed(run, wf_db_value(run, 0, 0, 0));
    wf_loop_resume(run, wf_node_fail(run, "%s", run->reply.description));
}

/* §9.6: the person is gone; nobody writes to him again. */
static void forget_person(struct wf_run *run)
{
    const char *chat = wf_db_bigint(run->event.chat_id);

    if (run->user_id == NULL || chat == NULL) {
        wf_loop_resume(run, wf_node_fail(run, "%s", run->reply.description));
        return;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_blocked, run->project_id, run->user_id, chat);
    wf_db_run(run, blocked_written, NULL);
}

static void fail_transient(struct wf_run *run)
{
    wf_run_transient(run, run->reply.retry_after_ms, "Telegram: %s",
                     run->reply.description);
}

/* §9.6: refused, because what was asked for is so already. */
static bool is_so_already(const struct wf_run *run)
{
    return (run->reply.not_modified && strcmp(run->method, "editMessageText") == 0) ||
           (run->reply.message_gone && strcmp(run->method, "deleteMessage") == 0);
}

static void settled(struct wf_run *run)
{
    wf_fault_point("send-after");
    wf_throttle_sent(run);
    if (is_so_already(run))
        run->reply.outcome = WF_SEND_OK;
    switch (run->reply.outcome) {
    case WF_SEND_OK:
        run->sent = run->sending;
        run->intended = false;
        wf_checkpoint(run, run->node->id, true, run->after_send);
        return;
    case WF_SEND_TRANSIENT:
        run->intended = run->reply.unknown;
        wf_throttle_pause(run, run->reply.retry_after_ms);
        wf_checkpoint(run, run->node->id, true, fail_transient);
        return;
    case WF_SEND_REFUSED:
        break;
    }
    run->intended = false;
    if (run->reply.blocked) {
        forget_person(run);
        return;
    }
    if (run->reply.status ==
        401) /* the token may have been changed: read it again next time */
        wf_projects_drop(&run->engine->projects, run->project_id);
    wf_loop_resume(run, wf_node_fail(run, "%s", run->reply.description));
}

static void keep_reply(struct wf_run *run, const struct wf_sent *sent)
{
    run->reply.outcome = sent->outcome;
    run->reply.blocked = sent->blocked;
    run->reply.not_modified = sent->not_modified;
    run->reply.message_gone = sent->message_gone;
    run->reply.unknown = sent->unknown;
    run->reply.status = sent->status;
    run->reply.retry_after_ms = sent->retry_after_ms;
    run->reply.message_id = sent->message_id;
    json_decref(run->reply.result);
    run->reply.result = NULL;
    wf_set(&run->reply.description, sent->description != NULL ? sent->description : "");
}

static void done(const struct wf_sent *sent, void *arg)
{
    struct wf_run *run = arg;

    wf_under_way_over(run);
    keep_reply(run, sent);
    wf_run_post(run, run->step);
}

static void submit(struct wf_run *run, bool once, wf_step *then)
{
    const struct wf_effects *effects = run->engine->effects;
    json_t *params = run->params;

    wf_fault_point("send-before");
    run->params = NULL;
    run->step = then;
    wf_engine_count(&run->engine->counters.sends);
    wf_under_way_lock(run);
    wf_under_way_begun(run, WF_CALL_TELEGRAM,
                       effects->telegram(effects->arg, run->project->token, run->method,
                                         params, once, done, run));
}

/* --- one that an attempt before may have sent: the policy decides (§3.9) */

static const char *policy(const struct wf_run *run)
{
    const char *own = wf_member(run->node->config, "onUnknown", "");

    return wf_settings_is_policy(own) ? own : run->engine->settings.unknown_sends;
}

static void not_again(struct wf_run *run)
{
    run->sent = run->sending;
    wf_checkpoint(run, run->node->id, true, run->after_send);
}

/* True: it is not sent again. */
static bool skip_unknown(struct wf_run *run)
{
    const char *name = policy(run);
    struct wf_counters *counters = &run->engine->counters;

    if (run->sending != run->unknown)
        return false;
    run->unknown = 0;
    bw_log(wf_job_log(run), BW_LOG_WARNING,
           "an attempt before may have sent this message", bw_text("node", run->node->id),
           bw_text("policy", name));
    if (strcmp(name, "resend") == 0) {
        wf_engine_count(&counters->unknown_resent);
        wf_log_warn(run, "The message may have been sent before; it is sent again");
        return false;
    }
    if (strcmp(name, "mark") == 0) {
        wf_engine_count(&counters->unknown_marked);
        wf_log_error(run, "Nobody knows whether the message was sent");
        wf_run_set(run, "unknownSend", wf_text(run->node->id), 0);
    } else {
        wf_engine_count(&counters->unknown_dropped);
        wf_log_warn(run, "The message may have been sent before; it is not sent again");
    }
    run->reply.message_id = 0;
    return true;
}

static void granted(struct wf_run *run)
{
    wf_set(&run->sent_chat, json_string_value(json_object_get(run->params, "chat_id")));
    submit(run, strcmp(policy(run), "resend") != 0, settled);
}

static void fail_inactive(struct wf_run *run)
{
    wf_loop_resume(run, wf_node_fail(run, "Telegram bot is inactive for this project"));
}

static void fail_nobody(struct wf_run *run)
{
    wf_loop_resume(run, wf_node_fail(run, "User is not linked to Telegram"));
}

void wf_send(struct wf_run *run, const char *method, json_t *params, wf_step *then)
{
    run->sending++;
    if (run->sending <= run->sent) { /* an attempt before did */
        json_decref(params);
        wf_run_post(run, then);
        return;
    }
    json_decref(run->params);
    run->params = params;
    run->method = method;
    run->after_send = then;
    if (json_object_get(run->params, "chat_id") == NULL) {
        wf_run_post(run, fail_nobody);
        return;
    }
    if (!run->project->bot_active) {
        wf_run_post(run, fail_inactive); /* WF-017 */
        return;
    }
    if (skip_unknown(run))
        not_again(run);
    else
        wf_throttle(run, granted);
}

static void asked(const struct wf_sent *sent, void *arg)
{
    struct wf_run *run = arg;

    wf_under_way_over(run);
    keep_reply(run, sent);
    run->reply.result =
        sent->result != NULL ? wf_must(json_deep_copy(sent->result)) : NULL;
    wf_run_post(run, run->step);
}

void wf_ask(struct wf_run *run, const char *method, json_t *params, wf_step *then)
{
    const struct wf_effects *effects = run->engine->effects;

    run->step = then;
    wf_under_way_lock(run);
    wf_under_way_begun(run, WF_CALL_TELEGRAM,
                       effects->telegram(effects->arg, run->project->token, method,
                                         params, false, asked, run));
}

/* --- outside of nodes */

void wf_send_notice(struct wf_run *run, const char *text, wf_step *then)
{
    run->params = wf_must(json_object());
    wf_json_set_text(run->params, "chat_id", run->event.chat_id);
    wf_json_set_text(run->params, "text", text);
    run->method = "sendMessage";
    submit(run, false, then);
}

void wf_answer_callback(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;
    json_t *params;

    if (run->event.callback_id == NULL || !run->engine->settings.answer_callback)
        return;
    params = wf_must(json_object());
    wf_json_set_text(params, "callback_query_id", run->event.callback_id);
    (void)effects->telegram(effects->arg, run->project->token, "answerCallbackQuery",
                            params, false, NULL, NULL); /* nobody waits for it */
}
