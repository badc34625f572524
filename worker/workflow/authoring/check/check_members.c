/* Members that nothing reads, where somebody meant something by them. */
#include "workflow/authoring/check/check_members.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/check/fields.h"
#include "workflow/authoring/check/spelling.h"
#include "workflow/authoring/names.h"
#include "workflow/language/keyboard.h"
#include "workflow/base/mem.h"
#include "workflow/nodes/nodes.h"

#define OF_BUTTONS                                                                       \
    "text|callback_data|callbackData|url|web_app|login_url|switch_inline_query|"         \
    "switch_inline_query_current_chat|pay|goto_node|request_contact|requestContact|"     \
    "request_location|requestLocation|request_poll|actions|" WF_OF_EDITORS
#define OF_KEYBOARDS                                                                     \
    "type|buttons|keyboard|inline|resize_keyboard|resize|one_time_keyboard|"             \
    "oneTimeKeyboard|oneTime|input_field_placeholder|selective|is_"                      \
    "persistent|" WF_OF_EDITORS
#define OF_CASES "value|label|gotoNode|" WF_OF_EDITORS

/* --- of the config */

/* New reference: all spellings of all fields of the type. */
static json_t *fields_of(const char *type)
{
    json_t *words = wf_must(json_array());

    for (size_t i = 0; i < wf_field_count; i++) {
        if (wf_field_is_of(&wf_fields[i], type)) {
            json_t *names = wf_words(wf_fields[i].names);

            wf_check(json_array_extend(words, names) == 0 ? BW_OK : BW_ENOMEM);
            json_decref(names);
        }
    }
    return words;
}

static void check_config(const struct wf_site *site)
{
    json_t *words = fields_of(site->node->type), *editors = wf_words(WF_OF_EDITORS),
           *value;
    const char *key, *near;

    wf_check(json_array_append_new(words, wf_text(site->node->type)) == 0 ? BW_OK
                                                                          : BW_ENOMEM);
    json_object_foreach((json_t *)(uintptr_t)site->node->config, key, value)
    {
        if (wf_words_have(words, "*") || wf_words_have(words, key) || *key == '_' ||
            wf_nodes_find(key) != NULL)
            continue;
        near = wf_names_near(key, words, wf_words_have(editors, key));
        if (near != NULL)
            wf_site_problem(site, key, "unknown member, did you mean \"%s\"?", near);
        else if (!wf_words_have(editors, key))
            wf_site_problem(site, key, "unknown member: nothing reads it");
    }
    json_decref(words);
    json_decref(editors);
}

/* Beside the type's own object: a misspelt type, or a field that got out of it. */
static void check_beside(const struct wf_site *site)
{
    const json_t *outer = json_object_get(site->node->data, "config");
    json_t *words, *value;
    const char *key, *near;

    if (outer == NULL || outer == site->node->config)
        return;
    words = fields_of(site->node->type);
    if (!site->node->has_config || json_object_get(outer, site->node->type) == NULL)
        wf_check(json_array_append_new(words, wf_text(site->node->type)) == 0
                     ? BW_OK
                     : BW_ENOMEM);
    json_object_foreach((json_t *)(uintptr_t)outer, key, value)
    {
        if (wf_words_have(words, key) || wf_nodes_find(key) != NULL)
            continue;
        near = wf_names_near(key, words, true);
        if (near != NULL)
            wf_site_problem(site, key, "unknown member, did you mean \"%s\"?", near);
    }
    json_decref(words);
}

/* --- deeper */

static void check_rows(const struct wf_site *site, const json_t *rows, const char *place)
{
    const json_t *row, *button;
    size_t i, j;

    json_array_foreach((json_t *)(uintptr_t)rows, i, row)
    {
        char *inner = wf_printf("%s[%zu]", place, i);

        if (json_is_object(row))
            wf_check_spelling(site, inner, row, OF_BUTTONS);
        free(inner);
        json_array_foreach((json_t *)(uintptr_t)row, j, button)
        {
            inner = wf_printf("%s[%zu][%zu]", place, i, j);
            wf_check_spelling(site, inner, button, OF_BUTTONS);
            free(inner);
        }
    }
}

static void check_keyboard(const struct wf_site *site)
{
    const json_t *keyboard = wf_keyboard_of(site->node);

    if (strncmp(site->node->type, "message", strlen("message")) != 0)
        return;
    check_rows(site, json_object_get(site->node->config, "buttons"), "buttons");
    if (json_is_object(keyboard) && keyboard != site->node->config) {
        wf_check_spelling(site, "keyboard", keyboard, OF_KEYBOARDS);
        check_rows(site, json_object_get(keyboard, "buttons"), "keyboard.buttons");
    }
}

static void check_cases(const struct wf_site *site)
{
    const json_t *item;
    size_t i;

    if (strcmp(site->node->type, "flow.switch") != 0)
        return;
    json_array_foreach(json_object_get(site->node->config, "cases"), i, item)
    {
        char *place = wf_printf("cases[%zu]", i);

        wf_check_spelling(site, place, item, OF_CASES);
        free(place);
    }
}

/* --- around the configs: the workflow, its nodes, its edges */

#define OF_WORKFLOWS                                                                     \
    "nodes|connections|entryNodeId|variables|settings|id|name|description|version|"      \
    "isActive|createdAt|updatedAt|projectId|workflowId|$schema|edges|viewport"
#define OF_NODES                                                                         \
    "id|type|data|config|next|branches|position|positionAbsolute|measured|dragging|"     \
    "label|selected|style|width|height|draggable|selectable|parentId|zIndex"
#define OF_EDGES                                                                         \
    "id|source|target|sourceHandle|targetHandle|type|animated|style|label|data|"         \
    "markerEnd|markerStart|selected|zIndex"

/* As wf_check_spelling(), of what no node is asked about. */
static void check_around(struct wf_problems *problems, const char *place,
                         const json_t *object, const char *list)
{
    json_t *words = wf_words(list), *value;
    const char *key, *near;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char *field;

        near = wf_words_have(words, key) ? NULL : wf_names_near(key, words, true);
        if (near == NULL)
            continue;
        field = wf_printf("%s%s%s", place, *place != '\0' ? "." : "", key);
        wf_problems_add(problems, NULL, field, "unknown member, did you mean \"%s\"?",
                        near);
        free(field);
    }
    json_decref(words);
}

void wf_check_outline(const json_t *workflow, struct wf_problems *problems)
{
    static const struct {
        const char *list, *members;
    } lists[] = { { "nodes", OF_NODES }, { "connections", OF_EDGES } };
    const json_t *item;
    size_t j;

    check_around(problems, "", workflow, OF_WORKFLOWS);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        json_array_foreach(json_object_get(workflow, lists[i].list), j, item)
        {
            char *place = wf_printf("%s[%zu]", lists[i].list, j);

            check_around(problems, place, item, lists[i].members);
            free(place);
        }
    }
}

void wf_check_members(const struct wf_site *site)
{
    check_config(site);
    check_beside(site);
    check_keyboard(site);
    check_cases(site);
}
