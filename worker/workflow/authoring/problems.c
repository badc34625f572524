#include "workflow/authoring/problems.h"

#include <stdlib.h>

#include <bulwark/error.h>

#include "workflow/base/mem.h"

static void make_room(struct wf_problems *problems)
{
    size_t room = problems->room * 2 + 16;
    struct wf_problem *items = reallocarray(problems->items, room, sizeof(*items));

    wf_check(items != NULL ? BW_OK : BW_ENOMEM);
    problems->items = items;
    problems->room = room;
}

void wf_problems_add(struct wf_problems *problems, const char *node, const char *field,
                     const char *format, ...)
{
    struct bw_buf text = BW_BUF_INIT;
    va_list args;

    va_start(args, format);
    wf_check(bw_buf_vaddf(&text, format, args));
    va_end(args);
    if (problems->count == problems->room)
        make_room(problems);
    problems->items[problems->count++] =
        (struct wf_problem){ wf_strdup(node), wf_strdup(field),
                             wf_strdup(bw_buf_text(&text)) };
    bw_buf_fini(&text);
}

void wf_problems_fini(struct wf_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].node);
        free(problems->items[i].field);
        free(problems->items[i].text);
    }
    free(problems->items);
    *problems = (struct wf_problems){ 0 };
}

void wf_problems_text(const struct wf_problems *problems, struct bw_buf *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct wf_problem *problem = &problems->items[i];

        wf_check(problem->node != NULL ? bw_buf_addf(out, "node %s", problem->node)
                                       : bw_buf_add_str(out, "workflow"));
        if (problem->field != NULL)
            wf_check(bw_buf_addf(out, ", %s", problem->field));
        wf_check(bw_buf_addf(out, ": %s\n", problem->text));
    }
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? wf_text(text) : json_null();
}

json_t *wf_problems_json(const struct wf_problems *problems)
{
    json_t *list = wf_must(json_array());

    for (size_t i = 0; i < problems->count; i++) {
        const struct wf_problem *problem = &problems->items[i];
        json_t *item = wf_must(json_object());

        wf_json_set(item, "node", text_or_null(problem->node));
        wf_json_set(item, "field", text_or_null(problem->field));
        wf_json_set_text(item, "problem", problem->text);
        wf_check(json_array_append_new(list, item) == 0 ? BW_OK : BW_ENOMEM);
    }
    return list;
}
