/* action.send_notification: by Telegram, into the table of notifications, or to a
 * webhook. worker/workflow/spec/workflow.md §5.3.5 */
#include "workflow/nodes/nodes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/nodes/fetch.h"
#include "workflow/nodes/parts.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"
#include "workflow/base/ids.h"
#include "workflow/base/iso.h"

#define DEFAULT_TITLE      "Уведомление"
#define WEBHOOK_TIMEOUT_MS 15000

/* The rendered members the three ways share. */
struct notice {
    char *recipient, *title, *message; /* the first may be NULL */
    json_t *data;                      /* templateData */
    const char *priority;
};

static wf_step stored, posted;

static struct notice notice_of(struct wf_run *run)
{
    const json_t *config = run->node->config;
    struct notice notice = { .priority = wf_member(config, "priority", "normal") };
    const json_t *data = json_object_get(config, "templateData");

    notice.recipient = wf_run_text(run, config, "recipient", NULL);
    notice.data = data != NULL ? wf_run_value(run, data) : NULL;
    if (!json_is_object(notice.data)) {
        json_decref(notice.data);
        notice.data = wf_must(json_object());
    }
    notice.title = wf_strdup(wf_member(notice.data, "title", DEFAULT_TITLE));
    notice.message = wf_run_text(run, config, "template", "message");
    return notice;
}

static void passed(struct wf_run *run)
{
    run->resume(run, wf_node_next());
}

static void notice_fini(struct notice *notice)
{
    free(notice->recipient);
    free(notice->title);
    free(notice->message);
    json_decref(notice->data);
}

/* --- Telegram */

static bool names_chat(const char *recipient)
{
    if (recipient == NULL)
        return false;
    if (*recipient == '@')
        return recipient[1] != '\0';
    return wf_db_bigint(recipient) != NULL;
}

static enum wf_action by_telegram(struct wf_run *run, const struct notice *notice)
{
    const char *raw = wf_member2(run->node->config, "template", "message");
    char *text = raw != NULL ? wf_parts_render(run, raw, "HTML") : wf_strdup("");

    wf_parts_begin(run);
    wf_parts_add_text(run, *text != '\0' ? text : notice->title, "HTML");
    if (names_chat(notice->recipient))
        wf_parts_chat(run, notice->recipient);
    free(text);
    return wf_parts_send(run, passed);
}

/* --- the table of notifications, from which the product sends e-mails */

static enum wf_action by_email(struct wf_run *run, const struct notice *notice)
{
    json_t *metadata = wf_must(json_copy(notice->data));
    char id[WF_ID_SIZE], *text, *external;

    wf_json_set_text(metadata, "recipient", notice->recipient);
    wf_json_set_text(metadata, "priority", notice->priority);
    text = wf_dumps(metadata);
    json_decref(metadata);
    wf_id_random(id);
    external = notice->recipient != NULL ? wf_strdup(notice->recipient) : NULL;
    for (char *at = external; at != NULL && *at != '\0'; at++)
        *at = (char)((unsigned char)*at < 0x80 ? tolower((unsigned char)*at) : *at);
    wf_db_begin(run);
    (void)wf_db_add(
        run, WF_SQL_notify, [WF_ARG_notify_id] = id,
        [WF_ARG_notify_project] = run->project_id, [WF_ARG_notify_user] = run->user_id,
        [WF_ARG_notify_email] = external, [WF_ARG_notify_title] = notice->title,
        [WF_ARG_notify_message] =
            notice->message != NULL ? notice->message : notice->title,
        [WF_ARG_notify_metadata] = text);
    free(external);
    free(text);
    wf_db_run(run, stored, NULL);
    return WF_PENDING;
}

static void stored(struct wf_run *run)
{
    if (wf_db_rows(run, 0) == 0)
        wf_log_warn(run, "there is nobody to notify");
    run->effect = true;
    run->resume(run, wf_node_next());
}

/* --- webhook */

static enum wf_action by_webhook(struct wf_run *run, const struct notice *notice)
{
    json_t *body = wf_must(json_object());
    char now[WF_ISO_SIZE];

    if (notice->recipient == NULL) {
        json_decref(body);
        return wf_node_fail(run, "Webhook URL is required");
    }
    wf_iso(wf_engine_now_ms(run->engine), now);
    wf_json_set_text(body, "projectId", run->project_id);
    wf_json_set(body, "userId",
                run->user_id != NULL ? wf_text(run->user_id) : json_null());
    wf_json_set_text(body, "title", notice->title);
    wf_json_set_text(body, "message",
                     notice->message != NULL ? notice->message : notice->title);
    wf_json_set_text(body, "priority", notice->priority);
    wf_json_set(body, "templateData", json_incref(notice->data));
    wf_json_set_text(body, "timestamp", now);
    if (!wf_fetch_post(run, notice->recipient, body, WEBHOOK_TIMEOUT_MS))
        return WF_ERROR;
    wf_fetch(run, false, posted);
    return WF_PENDING;
}

static void posted(struct wf_run *run)
{
    enum wf_action action = wf_fetch_ok(run) ? wf_node_next() : wf_fetch_fail(run);

    wf_fetch_log(run, NULL);
    run->resume(run, action);
}

enum wf_action wf_start_notification(struct wf_run *run)
{
    const char *kind = wf_member2(run->node->config, "notificationType", "channel");
    struct notice notice = notice_of(run);
    enum wf_action action;

    if (kind == NULL || strcmp(kind, "telegram") == 0)
        action = by_telegram(run, &notice);
    else if (strcmp(kind, "email") == 0)
        action = by_email(run, &notice);
    else if (strcmp(kind, "webhook") == 0)
        action = by_webhook(run, &notice);
    else
        action = wf_node_fail(run, "Unsupported notification type: %s", kind);
    notice_fini(&notice);
    return action;
}
