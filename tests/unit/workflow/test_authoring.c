/* What validation says of bad workflows, and that it is silent about good ones. Answers
 * for worker/workflow/authoring/check*.c, fields.c, leads.c, problems.c.
 * worker/workflow/spec/workflow.md §§4–7, 11.2. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/check/check.h"
#include "workflow/authoring/check/fields.h"
#include "workflow/authoring/dry/dry_run.h"
#include "workflow/authoring/node_list.h"
#include "workflow/base/mem.h"
#include "workflow/nodes/nodes.h"

/* What is said about a workflow given as JSON text: lines, the caller's to free. */
static char *lines_of(const char *workflow)
{
    struct wf_problems problems = { 0 };
    struct bw_buf out = BW_BUF_INIT;
    json_error_t at;
    json_t *json = json_loads(workflow, JSON_DECODE_ANY, &at);

    if (json == NULL)
        fail_msg("%s\n%s", at.text, workflow);
    wf_check_workflow(json, &problems);
    wf_problems_text(&problems, &out);
    json_decref(json);
    wf_problems_fini(&problems);
    return out.data != NULL ? bw_buf_take(&out) : wf_strdup("");
}

static void expect(const char *workflow, const char *expected)
{
    char *lines = lines_of(workflow);

    if (strcmp(lines, expected) != 0)
        fail_msg("%s\n--- is said:\n%s--- expected:\n%s", workflow, lines, expected);
    free(lines);
}

/* A workflow of a trigger `t` that leads to one node `x`. */
static char *around(const char *type, const char *config)
{
    return wf_printf("{\"nodes\":[{\"id\":\"t\",\"type\":\"trigger.command\",\"config\":"
                     "{\"command\":\"/start\"}},{\"id\":\"x\",\"type\":\"%s\"%s%s}],"
                     "\"connections\":[{\"source\":\"t\",\"target\":\"x\"}],"
                     "\"entryNodeId\":\"t\"}",
                     type, config != NULL ? ",\"config\":" : "",
                     config != NULL ? config : "");
}

/* --- fields of a node */

struct field_case {
    const char *type, *config;
    const char *expected; /* behind "node x, "; "": nothing is said */
};

/* clang-format off */
static const struct field_case field_cases[] = {
    { "nonsense", "{}", "type: unknown type \"nonsense\"" },
    { "message.text", "{\"text\":\"an alias\"}", "" },
    { "condition", NULL, "data.config: Condition configuration is missing" },

    { "trigger.command", "{\"command\":\"/a\"}", "" },
    { "trigger.command", "{\"command\":\"\"}", "command: is missing: the trigger never matches" },
    { "trigger.command", "{\"command\":\"/{{x}}\"}", "command: wrong template: this text is taken as it is" },
    { "trigger.command", "{\"command\":5}", "command: a text expected" },
    { "trigger.message", "{}", "" },
    { "trigger.message", "{\"pattern\":\"^\\\\d+$\"}", "" },
    { "trigger.message", "{\"pattern\":\"(\"}", "pattern: never matches: the pattern is wrong, over 500 characters, or nests repetitions" },
    { "trigger.message", "{\"pattern\":\"(\",\"matchType\":\"exact\"}", "" },
    { "trigger.message", "{\"pattern\":\"(a+)+\"}", "pattern: never matches: the pattern is wrong, over 500 characters, or nests repetitions" },
    { "trigger.message", "{\"pattern\":5}", "pattern: a regular expression expected" },
    { "trigger.message", "{\"pattern\":\"a\",\"caseSensitive\":\"no\"}", "caseSensitive: true or false expected" },
    { "trigger.callback", "{\"data\":\"a*\"}", "" },
    { "trigger.callback", "{\"callbackData\":\"[\",\"matchType\":\"regex\"}", "callbackData: never matches: the pattern is wrong, over 500 characters, or nests repetitions" },
    { "trigger.callback", "{\"data\":\"a\",\"matchType\":\"like\"}", "matchType: \"like\" is none of exact|starts_with|regex" },

    { "trigger.schedule", "{\"cron\":\"0 9 * * *\",\"timezone\":\"Europe/Moscow\",\"audience\":{\"type\":\"birthday_today\"}}", "" },
    { "trigger.schedule", "{\"cron\":\"0 9 * *\",\"audience\":{\"type\":\"all_active_users\"}}", "cron: bad cron: *" },
    { "trigger.schedule", "{\"cron\":9,\"audience\":{\"type\":\"all_active_users\"}}", "cron: a text of five fields expected" },
    { "trigger.schedule", "{\"cron\":\"0 9 * * *\",\"timezone\":\"Mars/Base\",\"audience\":{\"type\":\"all_active_users\"}}", "timezone: unknown time zone \"Mars/Base\"" },
    { "trigger.schedule", "{\"cron\":\"0 9 * * *\",\"audience\":{\"type\":\"everybody\"}}", "audience: audience.type: \"everybody\" is not known" },
    { "trigger.schedule", "{\"cron\":\"0 9 * * *\",\"audience\":{\"type\":\"birthday_in_days\"}}", "audience: audience.params.daysBefore: *" },
    { "trigger.schedule", "{\"cron\":\"0 9 * * *\",\"audience\":{\"type\":\"all_active_users\"},\"dedupeWindow\":\"ever\"}", "dedupeWindow: \"ever\" is none of year|month|week|day|none" },

    { "message", "{\"text\":\"{{user.firstName|default:\\\"x\\\"|upper}} {name} { {{ a[0].b }}\"}", "" },
    { "message", "{\"text\":\"{{user.firstName\"}", "text: wrong template: \"{{\" without \"}}\"" },
    { "message", "{\"text\":\"{{a{b}}\"}", "text: wrong template: braces or a line end inside \"{{…}}\"" },
    { "message", "{\"text\":\"{{a..b}}\"}", "text: wrong template: \"a..b\" is no path" },
    { "message", "{\"text\":\"{{ }}\"}", "text: wrong template: \"\" is no path" },
    { "message", "{\"text\":\"{{a|trim|shout}}\"}", "text: wrong template: unknown filter \"shout\"" },
    { "message", "{\"text\":\"{{project.botToken}}\"}", "text: wrong template: project.botToken is secret, always empty" },
    { "message", "{\"text\":[]}", "text: a text expected" },
    { "message", "{\"text\":\"a\",\"parseMode\":\"HTML\"}", "" },
    { "message", "{\"text\":\"a\",\"parse_mode\":\"html\"}", "parse_mode: \"html\" is none of HTML|Markdown|MarkdownV2" },

    { "action.database_query", "{\"query\":\"get_user_balance\",\"parameters\":{\"userId\":\"{{userId}}\"}}", "" },
    { "action.database_query", "{\"query\":\"drop_table\"}", "query: unknown query \"drop_table\"" },
    { "action.database_query", "{\"query\":\"create_user\",\"parameters\":[]}", "parameters: an object expected" },
    { "action.database_query", "{\"query\":\"create_user\",\"parameters\":{\"a\":[{\"b\":\"{{x\"}]}}", "parameters.a[0].b: wrong template: \"{{\" without \"}}\"" },
    { "action.set_variable", "{\"name\":\"a\",\"value\":{\"b\":\"{{x}}\"},\"scope\":\"user\"}", "" },
    { "action.set_variable", "{\"name\":\"a\",\"scope\":\"planet\"}", "scope: \"planet\" is none of session|user|project|global" },
    { "action.check_channel_subscription", "{\"channelId\":\"@a\",\"requiredStatus\":[\"member\"]}", "" },
    { "action.check_channel_subscription", "{\"channelId\":\"@a\",\"requiredStatus\":\"member\"}", "requiredStatus: an array expected" },

    /* names */
    { "message", "{\"text\":\"{{user.frstName}}\"}", "text: unknown name: nothing sets \"frstName\" of \"user.frstName\", did you mean \"firstName\"?" },
    { "message", "{\"text\":\"{{user.qwertyuiop}}\"}", "text: unknown name: nothing sets \"qwertyuiop\" of \"user.qwertyuiop\"" },
    { "message", "{\"text\":\"{{usr.firstName}} {{user.stats.balance}}\"}", "text: unknown name: nothing sets \"usr\" of \"usr.firstName\", did you mean \"user\"?" },
    { "message", "{\"text\":\"{{telegram.mesage.text}}\"}", "text: unknown name: nothing sets \"mesage\" of \"telegram.mesage.text\", did you mean \"message\"?" },
    { "message", "{\"text\":\"{{telegram.callback.params[1]}} {{telegram.message.text.length}} {{now.date}}\"}", "" },
    { "message", "{\"text\":\"{user.frstName}\"}", "text: unknown name: {user.frstName} is left as it is, did you mean {user.firstName}?" },
    { "message", "{\"text\":\"{usrname} {project.nme}\"}", "text: unknown name: {usrname} is left as it is, did you mean {username}?\nnode x, text: unknown name: {project.nme} is left as it is, did you mean {project.name}?" },
    { "message", "{\"text\":\"{anything} {company_name} {{company_name}} {{project.telegramChannel}} {1} {a b}\"}", "" },
    { "message", "{\"text\":\"{{project.domian}}\"}", "text: unknown name: nothing sets \"domian\" of \"project.domian\", did you mean \"domain\"?" },
    { "message", "{\"text\":\"{{ user.balance + }}\"}", "text: bad expression: Condition evaluation failed: Unexpected end of expression" },
    { "message", "{\"text\":\"{{user.balance+1}}\"}", "" },
    { "message", "{\"text\":\"{{contactReceived.phone}}\"}", "text: unknown name: nothing sets \"phone\" of \"contactReceived.phone\", did you mean \"phoneNumber\"?" },
    { "action.find_user_by_contact", "{\"contactValue\":\"{{foundUser.frstName}}\"}", "contactValue: unknown name: nothing sets \"frstName\" of \"foundUser.frstName\", did you mean \"firstName\"?" },
    { "action.set_variable", "{\"name\":\"total\",\"value\":\"{{totl}} {{total}} {{vars.total}} {{session.other}}\"}", "value: unknown name: nothing sets \"totl\" of \"totl\", did you mean \"total\"?" },
    { "action.set_variable", "{\"name\":\"nine\",\"value\":\"{{none}} {{line}} {{nien}}\"}", "value: unknown name: nothing sets \"nien\" of \"nien\", did you mean \"nine\"?" },
    { "action.set_variable", "{\"name\":\"item1\",\"value\":\"{{item2}} {{items}} {{item}}\"}", "" },
    { "action.set_variable", "{\"name\":\"{{which}}\",\"value\":\"{{anything}}\"}", "" },
    { "action.api_request", "{\"url\":\"https://a.example\",\"responseMapping\":{\"price\":\"p\"},\"body\":{\"a\":[\"{{prcie}}\"]}}", "body.a[0]: unknown name: nothing sets \"prcie\" of \"prcie\", did you mean \"price\"?" },
    { "condition", "{\"variable\":\"user.blance\",\"operator\":\"greater\",\"value\":1}", "variable: unknown name: nothing sets \"blance\" of \"user.blance\", did you mean \"balance\"?" },
    { "condition", "{\"expression\":\"user.blance > 1 && notEmpty(get(\\\"contactRecieved\\\"))\"}", "expression: unknown name: nothing sets \"blance\" of \"user.blance\", did you mean \"balance\"?\nnode x, expression: unknown name: nothing sets \"contactRecieved\" of \"contactRecieved\", did you mean \"contactReceived\"?" },
    { "condition", "{\"expression\":\"get('count') > user.balance && user.firstName.length > [1, telegram.userId].length\"}", "" },

    /* members */
    { "message", "{\"text\":\"a\",\"keybord\":{}}", "keybord: unknown member, did you mean \"keyboard\"?" },
    { "message", "{\"text\":\"a\",\"qwertyuiopas\":1}", "qwertyuiopas: unknown member: nothing reads it" },
    { "message", "{\"text\":\"a\",\"description\":\"b\",\"label\":\"c\",\"_note\":1}", "" },
    { "message", "{\"text\":\"a\",\"keyboard\":{\"type\":\"inline\",\"button\":[],\"buttons\":[[{\"text\":\"a\",\"callback_dta\":\"b\",\"url\":\"https://a.example\",\"_x\":1}]]}}", "keyboard.button: unknown member, did you mean \"buttons\"?\nnode x, keyboard.buttons[0][0].callback_dta: unknown member, did you mean \"callback_data\"?" },
    { "flow.switch", "{\"variable\":\"a\",\"cases\":[{\"vlaue\":1,\"value\":1}]}", "cases[0].vlaue: unknown member, did you mean \"value\"?" },
    { "action.database_query", "{\"query\":\"get_user_balance\",\"parameters\":{\"userID\":\"{{userId}}\"}}", "parameters.userID: unknown member, did you mean \"userId\"?" },
    { "action.database_query", "{\"query\":\"get_user_balnce\"}", "query: unknown query \"get_user_balnce\", did you mean \"get_user_balance\"?" },
    { "mesage", "{\"text\":\"a\"}", "type: unknown type \"mesage\", did you mean \"message\"?" },
    { "condition", "{\"variable\":\"a\",\"operator\":\"eqals\"}", "operator: Unknown operator: eqals, did you mean \"equals\"?" },
    { "trigger.webhook", "{\"webhookUrl\":\"a\",\"secret\":\"b\"}", "" },
    { "action.request_contact", "{\"anything\":1}", "" },

    { "action.api_request", "{\"url\":\"https://a.example/{{id}}\",\"method\":\"post\"}", "" },
    { "action.api_request", "{\"url\":\"https://a.example\"}", "" },
    { "action.api_request", "{\"url\":\"gopher://a.example\"}", "url: Invalid or unsafe URL: *" },
    { "action.api_request", "{\"url\":5}", "url: a URL expected" },
    { "action.api_request", "{\"url\":\"https://a.example\",\"method\":\"BREW\"}", "method: \"BREW\" is none of GET|POST|PUT|DELETE|PATCH|HEAD" },
    { "action.api_request", "{\"url\":\"https://a.example\",\"timeout\":\"soon\"}", "timeout: a number expected" },
    { "action.send_notification", "{\"channel\":\"telegram\"}", "" },
    { "action.send_notification", "{\"channel\":\"webhook\",\"recipient\":\"https://a.example\"}", "" },

    { "condition", "{\"variable\":\"a.b[0]\",\"operator\":\"equals\",\"value\":1}", "" },
    { "condition", "{\"variable\":\"{{a}}\",\"operator\":\"is_empty\"}", "" },
    { "condition", "{\"variable\":\"a[\",\"operator\":\"is_empty\"}", "variable: wrong template: \"a[\" is no path" },
    { "condition", "{\"variable\":5,\"operator\":\"is_empty\"}", "variable: a variable's name expected" },
    { "condition", "{\"variable\":\"a\",\"operator\":\"resembles\"}", "operator: Unknown operator: resembles" },
    { "condition", "{\"expression\":\"get('a') > 1 && {{b}} == 2\"}", "" },
    { "condition", "{\"expression\":\"a >\"}", "expression: bad expression: Condition evaluation failed: *" },
    { "condition", "{\"expr\":\"x = 1\"}", "expr: bad expression: Condition evaluation failed: *" },
    { "condition", "{\"expression\":5}", "expression: an expression expected" },

    { "flow.switch", "{\"variable\":\"a\",\"cases\":[{\"value\":1}]}", "" },
    { "flow.switch", "{\"variable\":\"a\",\"cases\":[{\"label\":\"b\"}]}", "cases[0]: the case has no value" },
    { "flow.switch", "{\"variable\":\"a\",\"cases\":[{\"value\":1,\"gotoNode\":\"x\"}]}", "" },
    { "flow.switch", "{\"variable\":\"a\",\"cases\":[{\"value\":1,\"gotoNode\":\"y\"}]}", "cases[0].gotoNode: missing target \"y\"" },
    { "flow.delay", "{\"delayMs\":0}", "" },
    { "flow.delay", "{\"variableDelay\":\"pause\"}", "" },
    { "flow.delay", "{\"delayMs\":\"{{pause}}\"}", "" },
    { "flow.delay", "{\"delayMs\":-1}", "delayMs: 0 or more expected" },
    { "flow.delay", "{\"delayMs\":86400001}", "delayMs: at most 86400000 expected" },
    { "flow.loop", "{\"iterations\":\"3\"}", "" },
    { "flow.loop", "{\"type\":\"foreach\",\"array\":\"items\"}", "" },
    { "flow.loop", "{\"type\":\"while\",\"condition\":\"i < 3\"}", "" },
    { "flow.loop", "{\"count\":\"many\"}", "count: a number expected" },
    { "flow.loop", "{\"type\":\"until\",\"count\":1}", "type: \"until\" is none of count|foreach|while" },
    { "flow.jump", "{\"targetNodeId\":\"t\",\"condition\":\"true\"}", "connections: a loop *" },
    { "flow.jump", "{\"targetNodeId\":\"gone\"}", "targetNodeId: missing target \"gone\"" },
    { "flow.jump", "{\"targetNodeId\":1}", "targetNodeId: a node's id expected" },
    { "flow.wait", "{\"waitFor\":\"input\"}", "" },
    { "flow.end", "{}", "" },
    { "flow.end", "{\"success\":\"yes\"}", "success: true or false expected" },

    /* keyboards, §5.2.3 */
    { "message", "{\"text\":\"a\",\"keyboard\":{\"type\":\"inline\",\"buttons\":[[{\"text\":\"b\",\"callback_data\":\"c\"}],{\"text\":\"d\",\"url\":\"https://e.example\"}]}}", "" },
    { "message", "{\"text\":\"a\",\"keyboard\":{\"type\":\"reply\",\"buttons\":[[\"b\",{\"text\":\"c\",\"request_contact\":true}]]}}", "" },
    { "message", "{\"text\":\"a\",\"keyboard\":{\"type\":\"remove\"}}", "" },
    { "message", "{\"text\":\"a\",\"keyboard\":[]}", "keyboard: invalid keyboard: an object expected" },
    { "message", "{\"text\":\"a\",\"keyboard\":{\"type\":\"round\",\"buttons\":[[{\"text\":\"b\",\"url\":\"u\"}]]}}", "keyboard.type: invalid keyboard: \"round\" is none of inline|reply|remove" },
    { "message", "{\"text\":\"a\",\"keyboard\":{\"type\":\"inline\"}}", "keyboard.buttons: invalid keyboard: rows of buttons expected" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[]}", "buttons: invalid keyboard: there are no buttons" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[5]]}", "buttons[0][0]: invalid keyboard: a button expected" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"url\":\"u\"}]]}", "buttons[0][0]: invalid keyboard: the button has no text" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[{\"text\":\"b\"}]}", "buttons[0]: invalid keyboard: the button does nothing" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[\"b\"]]}", "buttons[0][0]: invalid keyboard: the button does nothing" },
    { "message.keyboard.reply", "{\"text\":\"a\",\"keyboard\":[[{\"text\":\"{{b\"}]]}", "keyboard[0][0].text: wrong template: \"{{\" without \"}}\"" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"goto_node\":\"x\"}]]}", "" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"goto_node\":\"y\"}]]}", "buttons[0][0].goto_node: missing target \"y\"" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"callback_data\":\"goto:y\"}]]}", "buttons[0][0].callback_data: missing target \"y\"" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"callback_data\":\"0123456789012345678901234567890123456789012345678901234567890123\"}]]}", "" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"callback_data\":\"01234567890123456789012345678901234567890123456789012345678901234\"}]]}", "buttons[0][0].callback_data: 65 bytes, but callback_data may have 64" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"callbackData\":\"яяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяяя\"}]]}", "buttons[0][0].callbackData: 66 bytes, but callback_data may have 64" },
    { "message.keyboard.inline", "{\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"callback_data\":\"p:{{a.name.that.is.long}}:{{another.name.that.is.longer.still}}:{x}\"}]]}", "" },
};
/* clang-format on */

/* A `*` at the end stands for whatever comes. */
static bool is_line(const char *line, const char *expected)
{
    size_t len = strlen(expected);

    if (len > 0 && expected[len - 1] == '*')
        return strncmp(line, expected, len - 1) == 0;
    return strcmp(line, expected) == 0;
}

static void check_field_case(const struct field_case *row)
{
    char *workflow = around(row->type, row->config);
    char *lines = lines_of(workflow);
    size_t len = strlen(lines);
    const char *line = lines;

    if (len > 0)
        lines[len - 1] = '\0'; /* one line is expected at most */
    if (strncmp(line, "node x, ", strlen("node x, ")) == 0)
        line += strlen("node x, ");
    else if (strncmp(line, "node t, ", strlen("node t, ")) == 0)
        line += strlen("node t, "); /* a loop is told at its first node */
    if (!is_line(line, row->expected))
        fail_msg("%s %s\n--- is said:\n%s\n--- expected:\n%s", row->type,
                 row->config != NULL ? row->config : "", lines, row->expected);
    free(workflow);
    free(lines);
}

static void fields_of_nodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(field_cases) / sizeof(field_cases[0]); i++)
        check_field_case(&field_cases[i]);
}

/* New text: a config in which the row applies, but its field is not there. */
static char *config_without(const struct wf_field *row)
{
    const char *equals = row->when != NULL ? strchr(row->when, '=') : NULL;

    if (equals == NULL || row->when[0] == '!')
        return wf_strdup("{}");
    return wf_printf("{\"%.*s\":\"%.*s\"}", (int)(equals - row->when), row->when,
                     (int)strcspn(equals + 1, "|"), equals + 1);
}

/* Missed by its first name. */
static void miss(const struct wf_field *row, const char *type)
{
    char *config = config_without(row), *workflow = around(type, config);
    char *lines = lines_of(workflow);
    char *line = wf_printf("node x, %.*s: %s\n", (int)strcspn(row->names, "|"),
                           row->names, row->missing);

    if (strstr(lines, line) == NULL)
        fail_msg("%s %s\n--- is said:\n%s--- expected:\n%s", type, config, lines, line);
    free(config);
    free(workflow);
    free(lines);
    free(line);
}

/* Every required field of the table, on every type it belongs to; each row belongs to one
 * at least, and each type has a meaning. */
static void required_fields(void **state)
{
    size_t required = 0;

    (void)state;
    for (size_t i = 0; i < wf_field_count; i++) {
        size_t types = 0;

        for (size_t j = 0; j < wf_about_count; j++) {
            if (!wf_field_is_of(&wf_fields[i], wf_abouts[j].type))
                continue;
            types++;
            if (wf_fields[i].missing == NULL)
                continue;
            miss(&wf_fields[i], wf_abouts[j].type);
            required++;
        }
        if (types == 0 || wf_fields[i].meaning == NULL || wf_node_list_kind(i) == NULL)
            fail_msg("%s %s", wf_fields[i].types, wf_fields[i].names);
    }
    assert_true(required > 25);
}

static void types_of_the_table(void **state)
{
    const struct wf_node_handler *handler;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; (handler = wf_nodes_at(i)) != NULL; i++, count++) {
        if (strcmp(handler->type, wf_abouts[i].type) != 0)
            fail_msg("%s, %s", handler->type, wf_abouts[i].type);
    }
    assert_int_equal(count, wf_about_count);
}

/* --- the graph */

#define NODE(id, type) "{\"id\":\"" id "\",\"type\":\"" type "\"}"
#define WITH(id, type, config)                                                           \
    "{\"id\":\"" id "\",\"type\":\"" type "\",\"config\":{" config "}}"
#define START      WITH("t", "trigger.command", "\"command\":\"/start\"")
#define SAY(id)    WITH(id, "message", "\"text\":\"hi\"")
#define IF(id)     WITH(id, "condition", "\"expression\":\"a\"")
#define EDGE(a, b) "{\"source\":\"" a "\",\"target\":\"" b "\"}"
#define BRANCH(a, b, handle)                                                             \
    "{\"source\":\"" a "\",\"target\":\"" b "\",\"sourceHandle\":\"" handle "\"}"
#define GRAPH(nodes, edges)                                                              \
    "{\"nodes\":[" nodes "],\"connections\":[" edges "],\"entryNodeId\":\"t\"}"
#define ENDLESS                                                                          \
    ", connections: a loop without end: nothing in it waits, ends or leads out\n"

/* clang-format off */
static const struct {
    const char *workflow, *expected;
} graphs[] = {
    { "[]", "workflow: an object {nodes, connections, entryNodeId} expected\n" },
    { "{\"nodes\":5,\"entryNodeId\":\"t\"}", "workflow, nodes: an array or an object of nodes expected\n"
      "workflow, nodes: there are none\nworkflow, nodes: there is no trigger\n"
      "workflow, entryNodeId: \"t\": there is no such node\n" },
    { GRAPH(START, ""), "" },
    { "{\"nodes\":{\"t\":" START ",\"m\":{\"text\":\"no id\"}},\"connections\":[],\"entryNodeId\":\"t\"}",
      "node m: the node has no id or no type\n" },
    { "{\"nodes\":[" START "],\"connections\":[]}", "workflow, entryNodeId: is missing\n" },
    { "{\"nodes\":[" START "," SAY("m") "],\"connections\":[" EDGE("t", "m") "],\"entryNodeId\":\"m\"}",
      "workflow, entryNodeId: \"m\" is no trigger\n" },
    { GRAPH(START ",{\"type\":\"message\"}", ""), "workflow, nodes: item 1 has no id\n" },
    { GRAPH(START "," SAY("m") "," SAY("m"), EDGE("t", "m")), "node m: the id is used twice: only the last node counts\n" },
    { "{\"nodes\":[" START "],\"connections\":{},\"entryNodeId\":\"t\"}", "workflow, connections: an array of edges expected\n" },
    { GRAPH(START, "{\"source\":\"t\"}"), "workflow, connections: item 0 has no source or no target\n" },
    { GRAPH(START, EDGE("gone", "t")), "workflow, connections: item 0 leaves \"gone\": there is no such node\n" },
    { GRAPH(START, EDGE("t", "gone")), "node t, connections: missing target \"gone\"\n" },
    /* text, once and twice encoded */
    { "{\"nodes\":\"[{\\\"id\\\":\\\"t\\\",\\\"type\\\":\\\"trigger.contact\\\"}]\",\"connections\":\"[]\",\"entryNodeId\":\"t\"}", "" },

    /* branches */
    { GRAPH(START "," IF("c") "," SAY("m"), EDGE("t", "c") "," BRANCH("c", "m", "true")), "" },
    { GRAPH(START "," IF("c") "," SAY("m"), EDGE("t", "c") "," BRANCH("c", "m", "yes")),
      "node c, connections: the edge to \"m\" is never taken: there is no branch \"yes\"\n" },
    { GRAPH(START "," WITH("s", "flow.switch", "\"variable\":\"a\",\"cases\":[{\"value\":1}]") "," SAY("m"),
            EDGE("t", "s") "," BRANCH("s", "m", "case_0") "," BRANCH("s", "m", "default")), "" },
    { GRAPH(START "," WITH("s", "flow.switch", "\"variable\":\"a\",\"cases\":[{\"value\":1}]") "," SAY("m"),
            EDGE("t", "s") "," BRANCH("s", "m", "case_1")),
      "node s, connections: the edge to \"m\" is never taken: there is no branch \"case_1\"\n" },

    /* reach */
    { GRAPH(START "," SAY("m"), ""), "node m: unreachable: no trigger leads to it\n" },
    { GRAPH(START "," SAY("m") "," SAY("n"), EDGE("t", "m") "," EDGE("t", "n")),
      "node n: unreachable: no trigger leads to it\n" },
    { GRAPH(START "," NODE("e", "flow.end") "," SAY("m"), EDGE("t", "e") "," EDGE("e", "m")),
      "node m: unreachable: no trigger leads to it\n" },
    { GRAPH(START "," WITH("w", "flow.wait", "\"waitFor\":\"input\"") "," SAY("m"), EDGE("t", "w") "," BRANCH("w", "m", "timeout")), "" },
    { GRAPH(START "," NODE("c", "trigger.contact") "," SAY("m"), EDGE("c", "m")), "" },
    { GRAPH(START "," WITH("j", "flow.jump", "\"targetNodeId\":\"m\"") "," SAY("m"), EDGE("t", "j")), "" },
    { GRAPH(START "," WITH("k", "message.keyboard.inline", "\"text\":\"a\",\"buttons\":[[{\"text\":\"b\",\"callback_data\":\"goto:m\"},"
            "{\"text\":\"c\",\"goto_node\":{\"targetNodeId\":\"n\"}}]]") "," SAY("m") "," SAY("n"), EDGE("t", "k")), "" },

    /* loops */
    { GRAPH(START "," SAY("a") "," SAY("b"), EDGE("t", "a") "," EDGE("a", "b") "," EDGE("b", "a")), "node a" ENDLESS },
    { GRAPH(START "," SAY("a"), EDGE("t", "a") "," EDGE("a", "a")), "node a" ENDLESS },
    { GRAPH(START "," SAY("a") "," WITH("b", "message", "\"text\":\"?\",\"waitForInput\":true"),
            EDGE("t", "a") "," EDGE("a", "b") "," EDGE("b", "a")), "" },
    { GRAPH(START "," SAY("a") "," IF("c"), EDGE("t", "a") "," EDGE("a", "c") "," BRANCH("c", "a", "true")), "" },
    { GRAPH(START "," SAY("a") "," IF("c"), EDGE("t", "a") "," EDGE("a", "c") "," EDGE("c", "a")), "node a" ENDLESS },
    { GRAPH(START "," WITH("d", "flow.delay", "\"delayMs\":5000") "," SAY("a"), EDGE("t", "d") "," EDGE("d", "a") "," EDGE("a", "d")), "" },
    { GRAPH(START "," WITH("d", "flow.delay", "\"delayMs\":500") "," SAY("a"), EDGE("t", "d") "," EDGE("d", "a") "," EDGE("a", "d")),
      "node d" ENDLESS },
    { "{\"nodes\":[" START ",{\"id\":\"m\",\"type\":\"flow.end\",\"dta\":{}}],\"conections\":[],"
      "\"connections\":[{\"source\":\"t\",\"target\":\"m\",\"sourceHandel\":\"a\"}],\"entryNodeId\":\"t\"}",
      "workflow, conections: unknown member, did you mean \"connections\"?\n"
      "workflow, nodes[1].dta: unknown member, did you mean \"data\"?\n"
      "workflow, connections[0].sourceHandel: unknown member, did you mean \"sourceHandle\"?\n" },
    { "{\"nodes\":[" START ",{\"id\":\"m\",\"type\":\"message\",\"data\":{\"config\":{\"mesage\":{\"text\":\"a\"}}}}],"
      "\"connections\":[" EDGE("t", "m") "],\"entryNodeId\":\"t\"}",
      "node m, text: is missing: a text that says so would be sent\n"
      "node m, mesage: unknown member, did you mean \"message\"?\n" },
    { GRAPH(START "," WITH("l", "flow.loop", "\"count\":2") "," SAY("a"), EDGE("t", "l") "," BRANCH("l", "a", "body") "," EDGE("a", "l")), "" },
};
/* clang-format on */

static void graphs_as_stored(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(graphs) / sizeof(graphs[0]); i++)
        expect(graphs[i].workflow, graphs[i].expected);
}

static void report_as_json(void **state)
{
    struct wf_problems problems = { 0 };
    json_t *json;
    char *text;

    (void)state;
    wf_problems_add(&problems, "m", "text", "%s %d", "wrong", 1);
    wf_problems_add(&problems, NULL, NULL, "all of it");
    json = wf_problems_json(&problems);
    text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text,
                        "[{\"node\":\"m\",\"field\":\"text\",\"problem\":\"wrong 1\"},"
                        "{\"node\":null,\"field\":null,\"problem\":\"all of it\"}]");
    free(text);
    json_decref(json);
    wf_problems_fini(&problems);
}

/* Whatever the engine may ask PostgreSQL, a dry run has something to say, or says
 * knowingly nothing. */
static void every_statement_is_answered(void **state)
{
    (void)state;
    for (int sql = 0; sql < WF_SQL_COUNT; sql++) {
        if (!wf_dry_answers((enum wf_sql)sql))
            fail_msg("%s", wf_store_statement((enum wf_sql)sql)->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_nodes),
        cmocka_unit_test(required_fields),
        cmocka_unit_test(types_of_the_table),
        cmocka_unit_test(graphs_as_stored),
        cmocka_unit_test(report_as_json),
        cmocka_unit_test(every_statement_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
