/* message.photo, message.video, message.document. worker/workflow/spec/workflow.md §5.2.2
 */
#include "workflow/nodes/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "telegram/markup.h"
#include "workflow/language/keyboard.h"
#include "workflow/base/mem.h"
#include "workflow/nodes/parts.h"
#include "workflow/run/node_result.h"
#include "workflow/run/values.h"

#define EXTRAS 8

struct media {
    const char *type, *method, *member, *missing;
    const char *extras[EXTRAS]; /* members passed on when present */
};

static const struct media kinds[] = {
    { "message.photo", "sendPhoto", "photo", "Photo is required", { "has_spoiler" } },
    { "message.video",
      "sendVideo",
      "video",
      "Video is required",
      { "has_spoiler", "duration", "width", "height", "thumbnail",
        "supports_streaming" } },
    { "message.document",
      "sendDocument",
      "document",
      "Document is required",
      { "thumbnail", "disable_content_type_detection" } },
};

static wf_step sent;

static const struct media *media_of(const struct wf_node *node)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].type, node->type) == 0)
            return &kinds[i];
    }
    return &kinds[0]; /* the table of nodes.c names no other */
}

static void add_extras(struct wf_run *run, const struct media *media, json_t *params)
{
    for (size_t i = 0; i < EXTRAS && media->extras[i] != NULL; i++) {
        json_t *value =
            wf_run_value(run, json_object_get(run->node->config, media->extras[i]));

        if (value != NULL && !json_is_null(value))
            wf_json_set(params, media->extras[i], value);
        else
            json_decref(value);
    }
}

enum wf_action wf_start_media(struct wf_run *run)
{
    const struct media *media = media_of(run->node);
    const json_t *config = run->node->config;
    const char *mode = wf_parts_mode(config);
    struct wf_scope scope = wf_run_scope(run);
    struct bw_error err = { 0 };
    char *file = wf_run_text(run, config, media->member, NULL), *caption;
    json_t *markup = NULL, *params;
    size_t units;
    int rc = file != NULL ? wf_keyboard_node_markup(&scope, run->node, &markup, &err)
                          : BW_EINVAL;

    if (rc == BW_ENOMEM)
        wf_check(rc);
    if (rc != BW_OK) {
        enum wf_action action =
            wf_node_fail(run, "%s", file != NULL ? err.text : media->missing);

        free(file);
        return action;
    }
    caption = wf_parts_render(run, wf_member(config, "caption", ""), mode);
    wf_parts_begin(run);
    params = wf_parts_params(run);
    wf_json_set_text(params, media->member, file);
    wf_json_set_text(params, "parse_mode", mode); /* §9.3: without a caption too */
    add_extras(run, media, params);
    wf_parts_add(run, media->method, params);
    wf_check(tg_markup_units(tg_mode_of(mode), caption, &units));
    if (units > TG_CAPTION_MAX) {
        wf_parts_add_text(run, caption, mode);
    } else if (*caption != '\0') {
        wf_json_set_text(params, "caption", caption);
    }
    wf_parts_markup(run, markup);
    free(file);
    free(caption);
    return wf_parts_send(run, sent);
}

static void sent(struct wf_run *run)
{
    const char *assign = wf_run_assign(run->node, NULL);

    if (assign != NULL && run->outbox.reply.message_id != 0)
        wf_run_set(run, assign, json_integer(run->outbox.reply.message_id), 0);
    run->resume(run, wf_node_next());
}
