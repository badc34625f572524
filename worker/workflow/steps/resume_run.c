/* worker/workflow/spec/workflow.md §3.7: an execution that waited was claimed; what the
 * event means for it, and where it goes on. */
#include "workflow/steps/resume_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "workflow/base/mem.h"
#include "workflow/language/event_telegram.h"
#include "workflow/language/graph/trigger.h"
#include "workflow/nodes/loops.h"
#include "workflow/run/versions.h"
#include "workflow/run/wait_keys.h"
#include "workflow/steps/wait_timeout.h"
#include "workflow/steps/waits.h"
#include "workflow/outbox/delays.h"
#include "workflow/outbox/flush.h"
#include "workflow/outbox/send.h"
#include "workflow/run/io.h"
#include "workflow/run/values.h"
#include "workflow/steps/begin.h"
#include "workflow/steps/finish.h"
#include "workflow/steps/loop.h"
#include "workflow/base/iso.h"
#include "workflow/language/event.h"
#include "workflow/language/graph.h"

static wf_step own_version, node_is_gone, gone_written, begin_anew, set_location, go_on,
    expire, cancelled_written, stay, ask_email;

/* --- the graph (§3.2) */

void wf_resume(struct wf_run *run)
{
    struct wf_execution *x = &run->execution;

    BW_ASSERT(x->resumed && x->stored && run->graph != NULL);
    if (x->current_node_id == NULL)
        x->current_node_id = wf_strdup("");
    if (strcmp(run->graph->workflow_id, x->workflow_id) == 0 &&
        wf_graph_find(run->graph, x->current_node_id) != NULL)
        go_on(run);
    else
        wf_versions_exact(run, x->workflow_id, x->version, own_version);
}

static void own_version(struct wf_run *run)
{
    if (run->graph != NULL &&
        wf_graph_find(run->graph, run->execution.current_node_id) != NULL)
        go_on(run);
    else
        node_is_gone(run);
}

/* The node it waited at is in no version: the execution has failed. */
static void node_is_gone(struct wf_run *run)
{
    char *text = wf_printf("Node not found: %s", run->execution.current_node_id);

    wf_db_begin(run);
    (void)wf_flush_add(run,
                       &(struct wf_flush){ .status = WF_STATUS_FAILED, .error = text });
    free(text);
    wf_db_run(run, gone_written, NULL);
}

static void gone_written(struct wf_run *run)
{
    wf_flush_done(run);
    wf_waiting_forget(run, run->execution.session_id);
    begin_anew(run);
}

/* The event handled as text: a callback on a contact wait counts as typed (§3.7.5). */
static const char *typed(const struct wf_run *run)
{
    return run->event.kind == WF_EVENT_CALLBACK ? run->event.callback_data
                                                : run->event.text;
}

/* The execution is over: the event is handled as a new one. */
static void begin_anew(struct wf_run *run)
{
    wf_graph_unref(&run->graph);
    run->graph =
        wf_projects_graph(&run->engine->projects, run->project_id, run->versions.marker);
    if (run->graph != NULL)
        wf_begin(run, NULL, false, NULL);
    else
        wf_run_answer(run, false);
}

/* --- what was received (§3.7.4) */

static void replace_text(struct wf_run *run, const char *text)
{
    if (run->event.original_text == NULL)
        run->event.original_text = wf_strdup(typed(run));
    wf_set(&run->event.text, text);
}

/* `telegram` with the contact that was typed (§3.7.3). */
static void renew_telegram(struct wf_run *run, const struct wf_meaning *meaning)
{
    json_decref(run->telegram);
    run->telegram = wf_must(wf_event_telegram(&run->event));
    if (meaning->phone != NULL && run->event.contact == NULL) {
        json_t *contact = wf_must(json_object());

        wf_json_set_text(contact, "phoneNumber", meaning->phone);
        wf_json_set_text(contact, "phone", meaning->phone);
        wf_json_set(run->telegram, "contact", contact);
        wf_json_set_text(run->telegram, "userPhone", meaning->phone);
    }
}

static json_t *received(const struct wf_run *run)
{
    char now[WF_ISO_SIZE];
    json_t *value = wf_must(json_object());

    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set_text(value, "receivedAt", now);
    return value;
}

static void set_contact(struct wf_run *run, const struct wf_meaning *meaning)
{
    json_t *value = received(run);

    if (meaning->phone != NULL) {
        wf_json_set_text(value, "phoneNumber", meaning->phone);
        wf_json_set_text(value, "type", "phone");
        wf_json_set(value, "verified", json_boolean(meaning->verified));
    } else {
        wf_json_set_text(value, "email", meaning->email);
        wf_json_set_text(value, "type", "email");
    }
    wf_run_set(run, "contactReceived", value, 0);
}

static void set_named(struct wf_run *run, const char *name, const char *member,
                      const char *text)
{
    json_t *value = received(run);

    wf_json_set_text(value, member, text);
    wf_run_set(run, name, value, 0);
}

/* The variable the waiting node named. */
static void set_variable(struct wf_run *run, const struct wf_meaning *meaning)
{
    const char *name = wf_member(run->execution.wait_payload, "variableName", "");
    const char *text = meaning->phone != NULL ? meaning->phone : meaning->email;

    if (*name == '\0')
        return;
    if (run->event.kind == WF_EVENT_LOCATION && run->event.location != NULL)
        wf_run_set(run, name, json_incref(run->event.location), 0);
    else if (text == NULL && run->event.kind == WF_EVENT_CALLBACK)
        wf_run_set(run, name, wf_text(run->event.callback_data), 0);
    else if (text != NULL || run->event.text != NULL)
        wf_run_set(run, name, wf_text(text != NULL ? text : run->event.text), 0);
}

static void take_meaning(struct wf_run *run, const struct wf_meaning *meaning)
{
    bool contact_wait = run->execution.wait_type == WF_WAIT_CONTACT;

    if (meaning->text != NULL)
        replace_text(run, meaning->text);
    else if (run->event.kind == WF_EVENT_CALLBACK && contact_wait)
        wf_set(&run->event.text, run->event.callback_data);
    renew_telegram(run, meaning);
    if (meaning->phone != NULL || meaning->email != NULL)
        set_contact(run, meaning);
    if (run->event.kind == WF_EVENT_CALLBACK)
        set_named(run, "callbackReceived", "data", run->event.callback_data);
    else if (run->event.kind == WF_EVENT_LOCATION)
        set_location(run);
    else if (run->execution.wait_type == WF_WAIT_INPUT && run->event.text != NULL)
        set_named(run, "inputReceived", "text", run->event.text);
    set_variable(run, meaning);
}

static void set_location(struct wf_run *run)
{
    json_t *value = received(run);

    wf_json_set(value, "latitude",
                json_incref(json_object_get(run->event.location, "latitude")));
    wf_json_set(value, "longitude",
                json_incref(json_object_get(run->event.location, "longitude")));
    wf_run_set(run, "locationReceived", value, 0);
}

/* --- where to (§3.7.5) */

/* The target of a node's plain edge; NULL: none, or it is missing. */
static const struct wf_node *successor(const struct wf_graph *graph,
                                       const struct wf_node *node)
{
    const struct wf_edge *edge = node != NULL ? wf_node_edge(node, NULL, false) : NULL;

    return edge != NULL && edge->target != SIZE_MAX ? &graph->nodes[edge->target] : NULL;
}

static const struct wf_node *first_of_type(const struct wf_graph *graph, const char *type)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        if (strcmp(graph->nodes[i].type, type) == 0)
            return &graph->nodes[i];
    }
    return NULL;
}

static const struct wf_node *target_of(const struct wf_run *run, bool phone)
{
    const struct wf_graph *graph = run->graph;
    const struct wf_node *waiting = wf_graph_find(graph, run->execution.current_node_id);
    const struct wf_node *target, *contact;

    if (strcmp(wf_member(run->execution.wait_payload, "resume", ""), "self") == 0)
        return waiting;
    target = successor(graph, waiting);
    if (target != NULL && strcmp(target->type, "trigger.message") == 0)
        target = successor(graph, target);
    if (target == NULL && wf_loops_innermost(run) != NULL)
        return wf_graph_find(graph, wf_loops_innermost(run)); /* the body's end */
    contact = first_of_type(graph, "trigger.contact");
    if (phone && contact != NULL &&
        (target == NULL || strcmp(target->type, "flow.end") == 0))
        return contact;
    return target;
}

static void go_on(struct wf_run *run)
{
    const struct wf_node *matched =
        run->event.kind == WF_EVENT_CALLBACK
            ? wf_graph_callback_trigger(run->graph, &run->event)
            : NULL;
    const struct wf_node *target;
    struct wf_meaning meaning;

    if (matched == NULL && wf_timeout_passed(run)) {
        expire(run);
        return;
    }
    wf_waits_read(&meaning, &run->event,
                  matched != NULL ? WF_WAIT_CALLBACK : run->execution.wait_type,
                  typed(run), &run->engine->settings);
    switch (meaning.verdict) {
    case WF_VERDICT_ASK_EMAIL:
        ask_email(run);
        break;
    case WF_VERDICT_WRONG_EMAIL:
        wf_send_notice(run, run->engine->settings.text_email_invalid, stay);
        break;
    case WF_VERDICT_FOREIGN_CONTACT:
        wf_send_notice(run, run->engine->settings.text_foreign_contact, stay);
        break;
    case WF_VERDICT_GO_ON:
        wf_run_defaults(run);
        wf_loops_find(run);
        if (matched != NULL)
            wf_loops_drop(run);
        take_meaning(run, &meaning);
        target = matched != NULL ? matched : target_of(run, meaning.phone != NULL);
        if (target != NULL) {
            wf_loop_start(run, target);
        } else {
            run->ending.status = WF_STATUS_COMPLETED;
            run->ending.result = true;
            wf_finish(run);
        }
        break;
    }
    wf_meaning_fini(&meaning);
}

/* The event comes too late for the wait (§3.8). */
static void expire(struct wf_run *run)
{
    if (wf_timeout_go(run))
        return;
    wf_db_begin(run);
    (void)wf_flush_add(run, &(struct wf_flush){ .status = WF_STATUS_CANCELLED,
                                                .error = WF_TIMEOUT_ERROR });
    wf_db_run(run, cancelled_written, NULL);
}

static void cancelled_written(struct wf_run *run)
{
    wf_flush_done(run);
    wf_waiting_forget(run, run->execution.session_id);
    begin_anew(run);
}

/* --- staying in the wait */

static void stay(struct wf_run *run)
{
    BW_ASSERT(run->execution.resumed);
    run->out.wait = run->execution.wait_type != WF_WAIT_NOTHING ? run->execution.wait_type
                                                                : WF_WAIT_INPUT;
    json_decref(run->out.payload);
    run->out.payload = run->execution.wait_payload != NULL
                           ? json_incref(run->execution.wait_payload)
                           : NULL;
    run->ending.status = WF_STATUS_WAITING;
    run->ending.result = true;
    wf_finish(run);
}

static void ask_email(struct wf_run *run)
{
    char now[WF_ISO_SIZE];

    wf_iso(wf_engine_now_ms(run->engine), now);
    if (!json_is_object(run->execution.wait_payload)) {
        json_decref(run->execution.wait_payload);
        run->execution.wait_payload = wf_must(json_object());
    }
    wf_json_set_text(run->execution.wait_payload, "subType", "email");
    wf_json_set_text(run->execution.wait_payload, "updatedAt", now);
    wf_send_notice(run, run->engine->settings.text_email_prompt, stay);
}
