#include "workflow/authoring/node_list.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/check/check_parameters.h"
#include "workflow/authoring/check/check_template.h"
#include "workflow/authoring/check/check_value.h"
#include "workflow/authoring/check/fields.h"
#include "workflow/authoring/names.h"
#include "workflow/base/mem.h"
#include "workflow/language/condition.h"
#include "workflow/nodes/nodes.h"
#include "workflow/nodes/query/query.h"

/* --- kinds of values: one row a check */

static const struct kind {
    wf_value_check *check;
    const char *name;   /* for people */
    const char *schema; /* types of JSON, "|" between; NULL: any */
} kinds[] = {
    { wf_check_text, "text", "string|number" },
    { wf_check_literal, "literal text", "string" },
    { wf_check_any, "any", NULL },
    { wf_check_object, "object", "object" },
    { wf_check_parameters, "object", "object" },
    { wf_check_array, "array", "array" },
    { wf_check_number, "number", "number|string" },
    { wf_check_flag, "true or false", "boolean" },
    { wf_check_one_of, "one of", "string" },
    { wf_check_method, "one of", "string" },
    { wf_check_operand, "name", "string" },
    { wf_check_expression, "expression", "string" },
    { wf_check_operator, "operator", "string" },
    { wf_check_pattern, "regular expression", "string" },
    { wf_check_url, "URL", "string" },
    { wf_check_query, "query", "string" },
    { wf_check_target, "node", "string" },
    { wf_check_cron, "cron", "string" },
    { wf_check_zone, "time zone", "string" },
    { wf_check_audience, "audience", "object" },
    { wf_check_cases, "cases", "array" },
    { wf_check_keyboard_member, "keyboard", "object|array" },
};

static const struct kind *kind_of(const struct wf_field *field)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].check == field->check)
            return &kinds[i];
    }
    return &kinds[0]; /* a test asks for each */
}

const char *wf_node_list_kind(size_t field)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].check == wf_fields[field].check)
            return kinds[i].name;
    }
    return NULL;
}

const char *wf_node_list_type(size_t index)
{
    const struct wf_node_handler *handler = wf_nodes_at(index);

    return handler != NULL ? handler->type : NULL;
}

/* --- values that a field may have */

static void append(json_t *array, json_t *value)
{
    wf_check(json_array_append_new(array, value) == 0 ? BW_OK : BW_ENOMEM);
}

static json_t *all_names(const char *(*name_at)(const void *arg, size_t index))
{
    json_t *names = wf_must(json_array());

    for (size_t i = 0; name_at(NULL, i) != NULL; i++)
        append(names, wf_text(name_at(NULL, i)));
    return names;
}

/* New reference; NULL: not a list. */
static json_t *values_of(const struct wf_field *field)
{
    if (field->check == wf_check_one_of)
        return wf_words(field->arg);
    if (field->check == wf_check_method)
        return wf_words(WF_METHODS);
    if (field->check == wf_check_operator)
        return all_names(wf_condition_operator_name);
    if (field->check == wf_check_query)
        return all_names(wf_query_name);
    return NULL;
}

/* --- as data */

/* Whether an earlier row of the type tells of the same field. */
static bool is_told(size_t index, const char *type)
{
    for (size_t i = 0; i < index; i++) {
        if (wf_field_is_of(&wf_fields[i], type) &&
            strcmp(wf_fields[i].names, wf_fields[index].names) == 0)
            return true;
    }
    return false;
}

static void set_given(json_t *object, const char *key, const char *text)
{
    if (text != NULL)
        wf_json_set_text(object, key, text);
}

static json_t *field_json(const struct wf_field *field)
{
    json_t *object = wf_must(json_object()), *names = wf_words(field->names);

    wf_json_set(object, "name", json_incref(json_array_get(names, 0)));
    (void)json_array_remove(names, 0); /* it is there */
    if (json_array_size(names) > 0)
        wf_json_set(object, "aliases", json_incref(names));
    json_decref(names);
    wf_json_set_text(object, "kind", kind_of(field)->name);
    wf_json_set(object, "values", values_of(field));
    if (field->check == wf_check_number)
        set_given(object, "range", field->arg);
    wf_json_set(object, "required", json_boolean(field->missing != NULL));
    set_given(object, "when", field->when);
    set_given(object, "default", field->fallback);
    set_given(object, "meaning", field->meaning);
    return object;
}

static json_t *node_json(size_t index)
{
    const struct wf_node_handler *handler = wf_nodes_at(index);
    json_t *node = wf_must(json_object()), *fields = wf_must(json_array());

    wf_json_set_text(node, "type", handler->type);
    wf_json_set_text(node, "name", handler->name);
    wf_json_set_text(node, "meaning", wf_abouts[index].meaning);
    wf_json_set(node, "needsConfig", json_boolean(handler->needs_config));
    for (size_t i = 0; i < wf_field_count; i++) {
        if (wf_field_is_of(&wf_fields[i], handler->type) && !is_told(i, handler->type))
            append(fields, field_json(&wf_fields[i]));
    }
    wf_json_set(node, "fields", fields);
    return node;
}

json_t *wf_node_list(const char *type)
{
    json_t *list = wf_must(json_array());

    for (size_t i = 0; wf_node_list_type(i) != NULL; i++) {
        if (type == NULL || strcmp(type, wf_node_list_type(i)) == 0)
            append(list, node_json(i));
    }
    return list;
}

/* --- for people */

static void add_words(struct bw_buf *out, const char *before, const json_t *words)
{
    const json_t *word;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)words, i, word)
    {
        wf_check(
            bw_buf_addf(out, "%s%s", i == 0 ? before : ", ", json_string_value(word)));
    }
}

/* " (required if type=count)", " (required without expression)" */
static void add_required(struct bw_buf *out, const json_t *field)
{
    const char *when = wf_member(field, "when", NULL);

    if (!json_is_true(json_object_get(field, "required")))
        return;
    if (when == NULL)
        wf_check(bw_buf_add_str(out, " (required)"));
    else if (*when == '!')
        wf_check(bw_buf_addf(out, " (required without %.*s)", (int)strcspn(when + 1, "|"),
                             when + 1));
    else
        wf_check(bw_buf_addf(out, " (required if %.*s)", (int)strcspn(when, "|"), when));
}

static void add_field(struct bw_buf *out, const json_t *field)
{
    const json_t *values = json_object_get(field, "values");
    const char *range = wf_member(field, "range", NULL);
    const char *fallback = wf_member(field, "default", NULL);

    if (strcmp(wf_member(field, "name", ""), "*") == 0)
        return;
    wf_check(bw_buf_addf(out, "  %s", wf_member(field, "name", "")));
    add_words(out, " = ", json_object_get(field, "aliases"));
    add_required(out, field);
    wf_check(bw_buf_addf(out, ": %s\n      %s", wf_member(field, "meaning", ""),
                         wf_member(field, "kind", "")));
    if (range != NULL)
        wf_check(bw_buf_addf(out, " %.*s%s%s", (int)strcspn(range, " "), range,
                             strchr(range, ' ') != NULL ? " to" : " or more",
                             strchr(range, ' ') != NULL ? strchr(range, ' ') : ""));
    add_words(out, " ", values);
    if (fallback != NULL)
        wf_check(bw_buf_addf(out, "; default: %s", fallback));
    wf_check(bw_buf_add_char(out, '\n'));
}

void wf_node_list_text(const char *type, struct bw_buf *out)
{
    json_t *list = wf_node_list(type), *node, *field;
    size_t i, j;

    json_array_foreach(list, i, node)
    {
        wf_check(bw_buf_addf(out, "%s%s: %s\n", i > 0 ? "\n" : "",
                             wf_member(node, "type", ""),
                             wf_member(node, "meaning", "")));
        json_array_foreach(json_object_get(node, "fields"), j, field)
        {
            add_field(out, field);
        }
    }
    json_decref(list);
}

/* --- a JSON Schema */

static json_t *object_of(const char *key, json_t *value)
{
    json_t *object = wf_must(json_object());

    wf_json_set(object, key, value);
    return object;
}

/* {"type": […]}; NULL counts as not there. */
static json_t *types_schema(const char *types)
{
    json_t *words = wf_words(types);

    append(words, wf_text("null"));
    return object_of("type", words);
}

/* One of the values, nothing, or what is known only when it runs. */
static json_t *values_schema(json_t *values)
{
    json_t *any = wf_must(json_array()), *open = types_schema("string");

    append(values, wf_text(""));
    append(values, json_null());
    append(any, object_of("enum", values));
    wf_json_set_text(open, "pattern", "\\{\\{");
    append(any, open);
    return object_of("anyOf", any);
}

/* Methods count in any case. */
static json_t *value_schema(const struct wf_field *field)
{
    const struct kind *kind = kind_of(field);
    json_t *values = field->check == wf_check_method ? NULL : values_of(field), *schema;

    if (values != NULL)
        schema = values_schema(values);
    else
        schema =
            kind->schema != NULL ? types_schema(kind->schema) : wf_must(json_object());
    if (field->check == wf_check_number && field->arg != NULL) {
        char *rest;

        wf_json_set(schema, "minimum", json_real(strtod(field->arg, &rest)));
        if (*rest != '\0')
            wf_json_set(schema, "maximum", json_real(strtod(rest, NULL)));
    }
    return schema;
}

static void set_properties(json_t *properties, const struct wf_field *field)
{
    json_t *names = wf_words(field->names), *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        json_t *schema = value_schema(field);

        wf_json_set_text(schema, "description", field->meaning);
        set_given(schema, "x-default", field->fallback);
        if (json_object_get(properties, json_string_value(name)) == NULL)
            wf_json_set(properties, json_string_value(name), schema);
        else
            json_decref(schema);
    }
    json_decref(names);
}

/* Any of the spellings is there. */
static json_t *required_schema(const struct wf_field *field)
{
    json_t *names = wf_words(field->names), *any = wf_must(json_array()), *name;
    size_t i;

    json_array_foreach(names, i, name)
    {
        json_t *one = wf_must(json_array());

        append(one, json_incref(name));
        append(any, object_of("required", one));
    }
    json_decref(names);
    return object_of("anyOf", any);
}

/* What a config of the type may hold. */
static json_t *config_schema(size_t index)
{
    const char *type = wf_node_list_type(index);
    json_t *schema = types_schema("object"), *properties = wf_must(json_object());
    json_t *required = wf_must(json_array()), *editors = wf_words(WF_OF_EDITORS), *name;
    bool open = false;
    size_t i;

    for (i = 0; i < wf_field_count; i++) {
        if (!wf_field_is_of(&wf_fields[i], type))
            continue;
        open = open || strcmp(wf_fields[i].names, "*") == 0;
        if (strcmp(wf_fields[i].names, "*") != 0)
            set_properties(properties, &wf_fields[i]);
        if (wf_fields[i].missing != NULL && wf_fields[i].when == NULL)
            append(required, required_schema(&wf_fields[i]));
    }
    json_array_foreach(editors, i, name)
    {
        if (json_object_get(properties, json_string_value(name)) == NULL)
            wf_json_set(properties, json_string_value(name), wf_must(json_object()));
    }
    json_decref(editors);
    wf_json_set_text(schema, "description", wf_abouts[index].meaning);
    wf_json_set(schema, "properties", properties);
    wf_json_set(schema, "patternProperties", object_of("^_", wf_must(json_object())));
    wf_json_set(schema, "additionalProperties", json_boolean(open));
    if (json_array_size(required) > 0)
        wf_json_set(schema, "allOf", json_incref(required));
    json_decref(required);
    return schema;
}

static json_t *reference(const char *type)
{
    char *path = wf_printf("#/definitions/%s", type);
    json_t *object = object_of("$ref", wf_text(path));

    free(path);
    return object;
}

/* {type: config} or the config itself (worker/workflow/spec/workflow.md §4.2). */
static json_t *place_schema(const char *type)
{
    json_t *any = wf_must(json_array()), *nested = wf_must(json_array());
    json_t *inner = object_of("properties", object_of(type, reference(type)));

    append(nested, wf_text(type));
    wf_json_set(inner, "required", nested);
    append(any, inner);
    append(any, reference(type));
    return object_of("anyOf", any);
}

/* if the type is this one, then the config is such. */
static json_t *rule_schema(const char *type)
{
    json_t *rule = wf_must(json_object()), *places = wf_must(json_object());
    json_t *data = object_of("config", place_schema(type));

    wf_json_set(
        rule, "if",
        object_of("properties", object_of("type", object_of("const", wf_text(type)))));
    wf_json_set(places, "data", object_of("properties", data));
    wf_json_set(places, "config", place_schema(type));
    wf_json_set(rule, "then", object_of("properties", places));
    return rule;
}

static json_t *node_schema(void)
{
    static const char *const aliases[] = { "start", "message.text", "flow.condition" };
    json_t *node = wf_must(json_object()), *types = wf_must(json_array());
    json_t *rules = wf_must(json_array()), *properties = wf_must(json_object());

    for (size_t i = 0; wf_node_list_type(i) != NULL; i++) {
        append(types, wf_text(wf_node_list_type(i)));
        append(rules, rule_schema(wf_node_list_type(i)));
    }
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        append(types, wf_text(aliases[i]));
    wf_json_set(properties, "id", object_of("type", wf_text("string")));
    wf_json_set(properties, "type", object_of("enum", types));
    wf_json_set(node, "type", wf_text("object"));
    wf_json_set(node, "required", wf_words("id|type"));
    wf_json_set(node, "properties", properties);
    wf_json_set(node, "allOf", rules);
    return node;
}

static json_t *edge_schema(void)
{
    json_t *edge = wf_must(json_object()), *properties = wf_must(json_object());
    json_t *members = wf_words("source|target|sourceHandle|targetHandle|type|id"), *name;
    size_t i;

    json_array_foreach(members, i, name)
    {
        wf_json_set(properties, json_string_value(name), types_schema("string"));
    }
    json_decref(members);
    wf_json_set(edge, "type", wf_text("object"));
    wf_json_set(edge, "required", wf_words("source|target"));
    wf_json_set(edge, "properties", properties);
    return edge;
}

json_t *wf_node_schema(void)
{
    json_t *schema = wf_must(json_object()), *definitions = wf_must(json_object());
    json_t *properties = wf_must(json_object()),
           *nodes = types_schema("array|object|string");
    json_t *edges = types_schema("array|string");

    for (size_t i = 0; wf_node_list_type(i) != NULL; i++)
        wf_json_set(definitions, wf_node_list_type(i), config_schema(i));
    wf_json_set(definitions, "node", node_schema());
    wf_json_set(definitions, "edge", edge_schema());
    wf_json_set(nodes, "items", reference("node"));
    wf_json_set(nodes, "additionalProperties", reference("node"));
    wf_json_set(edges, "items", reference("edge"));
    wf_json_set(properties, "nodes", nodes);
    wf_json_set(properties, "connections", edges);
    wf_json_set(properties, "entryNodeId", types_schema("string"));
    wf_json_set(properties, "variables", types_schema("array"));
    wf_json_set(properties, "settings", types_schema("object"));
    wf_json_set_text(schema, "$schema", "http://json-schema.org/draft-07/schema#");
    wf_json_set_text(schema, "title", "A workflow");
    wf_json_set_text(schema, "type", "object");
    wf_json_set(schema, "required", wf_words("nodes"));
    wf_json_set(schema, "properties", properties);
    wf_json_set(schema, "definitions", definitions);
    return schema;
}
