/* Telegram, as a run uses it. worker/workflow/spec/workflow.md §9 */
#include "workflow/outbox/send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/fault_point.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/run/place.h"
#include "workflow/outbox/throttle.h"
#include "workflow/outbox/token.h"
#include "workflow/run/under_way.h"
#include "workflow/outbox/checkpoint.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/person.h"
#include "workflow/run/task.h"
#include "workflow/run/values.h"

#define LIMITED_MS 1000  /* a 429 that does not say for how long */
#define NOTICE_MS  60000 /* how long a notice waits for a place in the limits */

static wf_step fail_nobody, fail_inactive, granted, keep_chat, settled, fail_transient,
    refused, tell_refused, forget_person, blocked_written, accepted, ask_settled, ask,
    notice_granted, notice_settled, notice_held, notice_refused;
static const char *sent_chat(const struct wf_run *run);
static void submit(struct wf_run *run, bool once, wf_step *then);

/* --- a chat that has another id now */

/* A node that names the old chat means the new one. */
static void follow_move(const struct wf_run *run, json_t *params)
{
    const char *chat = json_string_value(json_object_get(params, "chat_id"));
    const char *to =
        chat != NULL ? json_string_value(json_object_get(run->outbox.moves, chat)) : NULL;

    if (to != NULL)
        wf_json_set_text(params, "chat_id", to);
}

static void keep_move(struct wf_run *run, int64_t moved_to)
{
    char to[24];

    if (moved_to == 0)
        return;
    (void)snprintf(to, sizeof(to), "%lld", (long long)moved_to);
    wf_count(&run->engine->counters.chats_moved);
    bw_log(wf_job_log(run), BW_LOG_WARNING, "the chat has another id now",
           bw_text("project", run->project_id), bw_text("chat", sent_chat(run)),
           bw_text("now", to));
    wf_moved(run, run->outbox.call.chat, to);
    wf_set(&run->outbox.call.chat, to);
}

void wf_moved(struct wf_run *run, const char *from, const char *to)
{
    if (from == NULL || to == NULL)
        return;
    if (run->outbox.moves == NULL)
        run->outbox.moves = wf_must(json_object());
    wf_json_set_text(run->outbox.moves, from, to);
    if (run->event.chat_id == NULL || strcmp(run->event.chat_id, from) != 0)
        return;
    wf_set(&run->event.chat_id, to);
    if (json_object_get(run->telegram, "chatId") != NULL)
        wf_json_set_text(run->telegram, "chatId", to);
}

/* --- one that an attempt before may have sent: the policy decides (§3.9) */

static const char *policy(const struct wf_run *run)
{
    const char *own = wf_member(run->node->config, "onUnknown", "");

    return wf_settings_is_policy(own) ? own : run->engine->settings.unknown_sends;
}

/* True: it is not sent again. */
static bool skip_unknown(struct wf_run *run)
{
    const char *name = policy(run);
    struct wf_counters *counters = &run->engine->counters;

    BW_ASSERT(run->outbox.message.sending > run->outbox.message.sent);
    if (run->outbox.message.sending != run->outbox.message.unknown)
        return false;
    run->outbox.message.unknown = 0;
    bw_log(wf_job_log(run), BW_LOG_WARNING,
           "an attempt before may have sent this message", bw_text("node", run->node->id),
           bw_text("policy", name));
    if (strcmp(name, "resend") == 0) {
        wf_count(&counters->unknown_resent);
        wf_log_warn(run, "The message may have been sent before; it is sent again");
        return false;
    }
    if (strcmp(name, "mark") == 0) {
        wf_count(&counters->unknown_marked);
        wf_log_error(run, "Nobody knows whether the message was sent");
        wf_run_set(run, "unknownSend", wf_text(run->node->id), 0);
    } else {
        wf_count(&counters->unknown_dropped);
        wf_log_warn(run, "The message may have been sent before; it is not sent again");
    }
    run->outbox.reply.message_id = 0;
    return true;
}

static void not_again(struct wf_run *run)
{
    run->outbox.message.sent = run->outbox.message.sending;
    wf_checkpoint(run, run->node->id, true, run->outbox.call.then);
}

/* --- a message of the current node */

void wf_send(struct wf_run *run, const char *method, json_t *params, wf_step *then)
{
    BW_ASSERT(run->node != NULL && run->resume != NULL && then != NULL);
    run->outbox.message.sending++;
    if (run->outbox.message.sending <=
        run->outbox.message.sent) { /* an attempt before did */
        json_decref(params);
        wf_run_post(run, then);
        return;
    }
    json_decref(run->outbox.call.params);
    run->outbox.call.params = params;
    run->outbox.call.method = method;
    run->outbox.call.then = then;
    run->outbox.token.tried = false;
    wf_place_add(run, method, run->outbox.call.params);
    follow_move(run, run->outbox.call.params);
    if (json_object_get(run->outbox.call.params, "chat_id") == NULL) {
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
        wf_throttle(run, wf_member(run->outbox.call.params, "chat_id", ""), granted);
}

static void fail_nobody(struct wf_run *run)
{
    run->resume(run, wf_node_fail(run, "User is not linked to Telegram"));
}

static void fail_inactive(struct wf_run *run)
{
    run->resume(run, wf_node_fail(run, "Telegram bot is inactive for this project"));
}

static void granted(struct wf_run *run)
{
    keep_chat(run);
    submit(run, strcmp(policy(run), "resend") != 0, settled);
}

static const char *sent_chat(const struct wf_run *run)
{
    return run->outbox.call.chat != NULL ? run->outbox.call.chat : "";
}

static void keep_chat(struct wf_run *run)
{
    wf_set(&run->outbox.call.chat,
           json_string_value(json_object_get(run->outbox.call.params, "chat_id")));
}

/* --- a call and its answer */

static void keep_reply(struct wf_run *run, const struct wf_sent *sent)
{
    BW_ASSERT(run->outbox.call.method != NULL);
    run->outbox.reply.outcome = sent->outcome;
    run->outbox.reply.blocked = sent->blocked;
    run->outbox.reply.not_modified = sent->not_modified;
    run->outbox.reply.message_gone = sent->message_gone;
    run->outbox.reply.unknown = sent->unknown;
    run->outbox.reply.unclear = sent->unclear;
    run->outbox.reply.status = sent->status;
    run->outbox.reply.retry_after_ms = sent->retry_after_ms;
    run->outbox.reply.message_id = sent->message_id;
    json_decref(run->outbox.reply.result);
    run->outbox.reply.result = NULL;
    wf_set(&run->outbox.reply.description,
           sent->description != NULL ? sent->description : "");
    keep_move(run, sent->moved_to);
    if (sent->unclear)
        wf_count(&run->engine->counters.unclear_answers);
    if (sent->params != NULL && wf_token_suspected(run)) /* it may be sent again */
        run->outbox.call.params = wf_must(json_deep_copy(sent->params));
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
    json_t *params = run->outbox.call.params;

    BW_ASSERT(params != NULL && run->project->token != NULL);
    wf_fault_point("send-before");
    run->attempt.left = true;
    run->outbox.call.params = NULL;
    run->step = then;
    wf_count(&run->engine->counters.sends);
    wf_under_way_lock(run);
    wf_under_way_begun(run, WF_CALL_TELEGRAM,
                       effects->telegram(effects->arg, run->project->token,
                                         run->outbox.call.method, params, once, done,
                                         run));
}

/* --- outcomes */

/* §9.6: refused, because what was asked for is so already. */
static bool is_so_already(const struct wf_run *run)
{
    return (run->outbox.reply.not_modified &&
            strcmp(run->outbox.call.method, "editMessageText") == 0) ||
           (run->outbox.reply.message_gone &&
            strcmp(run->outbox.call.method, "deleteMessage") == 0);
}

/* Telegram wants a pause that is too long to be waited out here. §9.6, WF-170 */
static bool is_limited(struct wf_run *run)
{
    int64_t ms = run->outbox.reply.retry_after_ms;

    if (run->outbox.reply.outcome != WF_SEND_TRANSIENT || run->outbox.reply.status != 429)
        return false;
    run->outbox.hold_until = wf_engine_now_ms(run->engine) + (ms > 0 ? ms : LIMITED_MS);
    wf_count(&run->engine->counters.pauses);
    return true;
}

static void settled(struct wf_run *run)
{
    BW_ASSERT(run->node != NULL && run->outbox.call.then != NULL);
    wf_fault_point("send-after");
    wf_throttle_sent(run, sent_chat(run));
    if (is_so_already(run))
        run->outbox.reply.outcome = WF_SEND_OK;
    switch (run->outbox.reply.outcome) {
    case WF_SEND_OK:
        accepted(run);
        return;
    case WF_SEND_TRANSIENT:
        run->outbox.message.intended = run->outbox.reply.unknown;
        if (is_limited(run)) {
            wf_throttle_pause(run, sent_chat(run));
            wf_checkpoint_hold(run);
        } else {
            wf_checkpoint(run, run->node->id, true, fail_transient);
        }
        return;
    case WF_SEND_REFUSED:
        if (wf_token_suspected(run))
            wf_token_check(run, granted, refused, NULL);
        else
            refused(run);
        return;
    }
}

static void fail_transient(struct wf_run *run)
{
    wf_run_transient(run, 0, "Telegram: %s", run->outbox.reply.description);
}

static void refused(struct wf_run *run)
{
    run->outbox.message.intended = false;
    tell_refused(run);
    if (run->outbox.reply.blocked)
        forget_person(run);
    else
        run->resume(run, wf_node_fail(run, "%s", run->outbox.reply.description));
}

/* A person who blocks a bot is nobody's mistake; the rest is for the operator to see. */
static void tell_refused(struct wf_run *run)
{
    struct wf_counters *counters = &run->engine->counters;
    int status = run->outbox.reply.status;

    wf_count(run->outbox.reply.blocked        ? &counters->refused_blocked
             : status == 403                  ? &counters->refused_forbidden
             : status == 401 || status == 404 ? &counters->refused_token
                                              : &counters->refused_other);
    bw_log(wf_job_log(run), run->outbox.reply.blocked ? BW_LOG_INFO : BW_LOG_WARNING,
           "Telegram refuses a call", bw_text("project", run->project_id),
           bw_text("chat", sent_chat(run)), bw_text("method", run->outbox.call.method),
           bw_num("status", status), bw_text("reason", run->outbox.reply.description));
}

/* §9.6: the person is gone; nobody writes to him again. */
static void forget_person(struct wf_run *run)
{
    const char *chat = wf_db_bigint(run->event.chat_id);

    BW_ASSERT(run->node != NULL);
    if (run->user_id == NULL || chat == NULL) {
        run->resume(run, wf_node_fail(run, "%s", run->outbox.reply.description));
        return;
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_blocked, run->project_id, run->user_id, chat);
    wf_db_run(run, blocked_written, NULL);
}

static void blocked_written(struct wf_run *run)
{
    if (wf_db_rows(run, 0) > 0)
        wf_person_changed(run, wf_db_value(run, 0, 0, WF_COL_blocked_id));
    run->resume(run, wf_node_fail(run, "%s", run->outbox.reply.description));
}

static void accepted(struct wf_run *run)
{
    BW_ASSERT(run->outbox.message.sending > run->outbox.message.sent);
    if (run->outbox.reply.unclear)
        wf_log_warn(run, "Telegram's answer is not one of the Bot API; the message "
                         "counts as sent");
    run->outbox.message.sent = run->outbox.message.sending;
    run->outbox.message.intended = false;
    run->outbox.refusals.doubts = 0;
    wf_checkpoint(run, run->node->id, true, run->outbox.call.then);
}

/* --- questions */

void wf_ask(struct wf_run *run, const char *method, json_t *params, wf_step *then)
{
    BW_ASSERT(then != NULL);
    json_decref(run->outbox.call.params);
    run->outbox.call.params = params;
    run->outbox.call.method = method;
    run->outbox.call.then = then;
    run->outbox.token.tried = false;
    follow_move(run, run->outbox.call.params);
    ask(run);
}

static void asked(const struct wf_sent *sent, void *arg)
{
    struct wf_run *run = arg;

    wf_under_way_over(run);
    keep_reply(run, sent);
    run->outbox.reply.result =
        sent->result != NULL ? wf_must(json_deep_copy(sent->result)) : NULL;
    wf_run_post(run, ask_settled);
}

static void ask_settled(struct wf_run *run)
{
    BW_ASSERT(run->outbox.call.then != NULL);
    if (is_limited(run))
        wf_checkpoint_hold(run);
    else if (wf_token_suspected(run))
        wf_token_check(run, ask, run->outbox.call.then, NULL);
    else
        run->outbox.call.then(run);
}

static void ask(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;
    json_t *params = run->outbox.call.params;

    BW_ASSERT(params != NULL && run->project->token != NULL);
    keep_chat(run);
    run->outbox.call.params = NULL;
    run->step = ask_settled;
    wf_under_way_lock(run);
    wf_under_way_begun(run, WF_CALL_TELEGRAM,
                       effects->telegram(effects->arg, run->project->token,
                                         run->outbox.call.method, params, false, asked,
                                         run));
}

/* --- notices */

void wf_send_notice(struct wf_run *run, const char *text, wf_step *then)
{
    BW_ASSERT(text != NULL && then != NULL);
    json_decref(run->outbox.call.params);
    run->outbox.call.params = wf_must(json_object());
    wf_json_set_text(run->outbox.call.params, "chat_id", run->event.chat_id);
    wf_json_set_text(run->outbox.call.params, "text", text);
    run->outbox.call.method = "sendMessage";
    wf_place_add(run, run->outbox.call.method, run->outbox.call.params);
    run->outbox.call.then = then;
    run->outbox.token.tried = false;
    wf_set(&run->outbox.reply.description, "there is no place in the bot's limits");
    keep_chat(run);
    wf_throttle_notice(run, sent_chat(run), notice_granted, notice_held, NOTICE_MS);
}

static void notice_granted(struct wf_run *run)
{
    submit(run, false, notice_settled);
}

static void notice_settled(struct wf_run *run)
{
    wf_throttle_sent(run, sent_chat(run));
    if (is_limited(run)) {
        wf_throttle_pause(run, sent_chat(run));
        notice_held(run);
    } else if (wf_token_suspected(run)) {
        wf_token_check(run, notice_granted, notice_refused, notice_held);
    } else if (run->outbox.reply.outcome == WF_SEND_REFUSED) {
        notice_refused(run);
    } else {
        run->outbox.call.then(run);
    }
}

/* The job has claimed a wait and done nothing else: an attempt that comes later claims it
 * again. */
static bool can_come_again(const struct wf_run *run)
{
    return run->node == NULL && run->execution.id != NULL;
}

/* There is no place for it, or a pause, or no right token. */
static void notice_held(struct wf_run *run)
{
    if (can_come_again(run)) {
        wf_run_put_off(run, run->outbox.hold_until, false);
        return;
    }
    wf_count(&run->engine->counters.notices_dropped);
    bw_log(wf_job_log(run), BW_LOG_WARNING, "a notice could not be sent",
           bw_text("project", run->project_id), bw_text("chat", sent_chat(run)),
           bw_text("reason", run->outbox.reply.description));
    run->outbox.hold_until = 0;
    run->outbox.call.then(run);
}

static void notice_refused(struct wf_run *run)
{
    tell_refused(run);
    run->outbox.call.then(run);
}

void wf_answer_callback(struct wf_run *run)
{
    const struct wf_effects *effects = run->engine->effects;
    json_t *params;

    if (run->event.callback_id == NULL || !run->engine->settings.answer_callback)
        return;
    run->attempt.left = true;
    params = wf_must(json_object());
    wf_json_set_text(params, "callback_query_id", run->event.callback_id);
    (void)effects->telegram(effects->arg, run->project->token, "answerCallbackQuery",
                            params, false, NULL, NULL); /* nobody waits for it */
}
