#include "workflow/steps/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "workflow/run/job.h"
#include "workflow/base/mem.h"
#include "workflow/outbox/send.h"
#include "workflow/language/event.h"

#define NAME_MS 86400000 /* bots are renamed rarely */

static wf_step named, decide;

/* New: the bot's id, which its token begins with; NULL: it does not. */
static char *bot_id(const struct wf_run *run)
{
    size_t len = strspn(run->project->token, "0123456789");

    return len > 0 && run->project->token[len] == ':'
               ? wf_printf("%.*s", (int)len, run->project->token)
               : NULL;
}

/* New: where the name Telegram gave is remembered. The id stays when the token is
 * changed.
 */
static char *name_key(const struct wf_run *run)
{
    char *id = bot_id(run);
    char *key = wf_printf("bot name %s", id != NULL ? id : run->project->token);

    free(id);
    return key;
}

static bool has_name(const struct wf_run *run)
{
    char *key = name_key(run), *told = wf_memory_get(run->engine->local, key);
    bool known =
        told != NULL || run->event.me_username != NULL ||
        (run->project->bot_username != NULL && run->project->bot_username[0] != '\0');

    free(key);
    free(told);
    return known;
}

void wf_address(struct wf_run *run, wf_step *then)
{
    const struct wf_event *event = &run->event;
    bool by_name =
        event->address != NULL || (event->shared && json_array_size(event->mentions) > 0);

    BW_ASSERT(run->project != NULL && run->project->token != NULL);
    run->steps.addressed = then;
    if (by_name && !has_name(run))
        wf_ask(run, "getMe", wf_must(json_object()), named);
    else
        decide(run);
}

static void named(struct wf_run *run)
{
    const char *name = wf_member(run->outbox.reply.result, "username", NULL);
    char *key;

    if (name != NULL) {
        key = name_key(run);
        wf_memory_set(run->engine->local, key, name, NAME_MS);
        free(key);
    }
    decide(run);
}

static bool is_name(const char *name, const char *other)
{
    return name != NULL && *name != '\0' && other != NULL &&
           strcasecmp(name + (*name == '@'), other + (*other == '@')) == 0;
}

/* The names that the project's settings, the front end and Telegram know it by. */
static bool is_ours(const struct wf_run *run, const char *name)
{
    char *key = name_key(run), *told = wf_memory_get(run->engine->local, key);
    bool ours = is_name(run->project->bot_username, name) ||
                is_name(run->event.me_username, name) || is_name(told, name);

    free(key);
    free(told);
    return ours;
}

static bool is_our_id(const struct wf_run *run, const char *id)
{
    char *own = bot_id(run);
    bool ours = own != NULL && id != NULL && strcmp(own, id) == 0;

    free(own);
    return ours;
}

static bool is_mentioned(const struct wf_run *run)
{
    json_t *mention;
    size_t i;

    json_array_foreach(run->event.mentions, i, mention)
    {
        const char *name = json_string_value(mention);

        if (*name == '@' ? is_ours(run, name) : is_our_id(run, name))
            return true;
    }
    return false;
}

static bool speaks_to_us(const struct wf_run *run)
{
    switch (run->event.kind) {
    case WF_EVENT_START:
    case WF_EVENT_COMMAND:
    case WF_EVENT_CALLBACK:
    case WF_EVENT_CONTACT:
        return true;
    case WF_EVENT_TEXT:
    case WF_EVENT_LOCATION:
    case WF_EVENT_POLL:
    case WF_EVENT_OTHER:
        break;
    }
    return is_our_id(run, run->event.reply_to_id) ||
           (run->event.reply_to_name != NULL && is_ours(run, run->event.reply_to_name)) ||
           is_mentioned(run);
}

static void decide(struct wf_run *run)
{
    struct wf_event *event = &run->event;

    BW_ASSERT(run->steps.addressed != NULL);
    if (event->address != NULL && !is_ours(run, event->address) &&
        (event->shared || has_name(run))) {
        bw_log(wf_job_log(run), BW_LOG_INFO, "the command is for another bot",
               bw_text("bot", event->address));
        wf_run_answer(run, false);
        return;
    }
    event->overheard = event->shared && !speaks_to_us(run);
    run->steps.addressed(run);
}
