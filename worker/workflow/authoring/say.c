#include "workflow/authoring/say.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "workflow/base/mem.h"

/* --- markup */

static const struct {
    const char *tag, *on, *off;
} looks[] = {
    { "b", "\033[1m", "\033[22m" },    { "strong", "\033[1m", "\033[22m" },
    { "i", "\033[3m", "\033[23m" },    { "em", "\033[3m", "\033[23m" },
    { "u", "\033[4m", "\033[24m" },    { "ins", "\033[4m", "\033[24m" },
    { "s", "\033[9m", "\033[29m" },    { "code", "\033[36m", "\033[39m" },
    { "pre", "\033[36m", "\033[39m" }, { "a", "\033[4m", "\033[24m" },
};

static const struct {
    const char *name, *text;
} entities[] = { { "&lt;", "<" }, { "&gt;", ">" }, { "&amp;", "&" }, { "&quot;", "\"" } };

/* The tag at `at`, up to ">"; 0: it is none. */
static size_t tag_length(const char *at)
{
    size_t len = strcspn(at, ">");
    char next = at[1] == '/' ? at[2] : at[1];

    if (at[len] == '\0' ||
        !((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z')))
        return 0;
    return len + 1;
}

static void add_look(struct bw_buf *out, const char *tag)
{
    bool ends = tag[1] == '/';
    const char *name = tag + (ends ? 2 : 1);
    size_t len = strcspn(name, " >");

    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        if (strlen(looks[i].tag) == len && strncasecmp(looks[i].tag, name, len) == 0)
            wf_check(bw_buf_add_str(out, ends ? looks[i].off : looks[i].on));
    }
}

/* One character or entity. */
static size_t add_one(struct bw_buf *out, const char *at)
{
    for (size_t i = 0; *at == '&' && i < sizeof(entities) / sizeof(entities[0]); i++) {
        size_t len = strlen(entities[i].name);

        if (strncmp(at, entities[i].name, len) == 0) {
            wf_check(bw_buf_add_str(out, entities[i].text));
            return len;
        }
    }
    if ((unsigned char)*at < 0x20 && *at != '\n' && *at != '\t')
        wf_check(bw_buf_add_char(out, '?')); /* nothing of theirs steers the terminal */
    else
        wf_check(bw_buf_add_char(out, *at));
    return 1;
}

static void add_text(struct bw_buf *out, const json_t *params, const char *text,
                     bool colours)
{
    bool html = strcmp(wf_member(params, "parse_mode", ""), "HTML") == 0;

    for (const char *at = text; *at != '\0';) {
        size_t len = html && *at == '<' ? tag_length(at) : 0;

        if (len > 0 && colours)
            add_look(out, at);
        at += len > 0 ? len : add_one(out, at);
    }
    wf_check(bw_buf_add_char(out, '\n'));
}

/* --- messages */

static void add_medium(struct bw_buf *out, const json_t *params)
{
    static const char *const kinds[] = { "photo", "video", "document", "audio",
                                         "animation" };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (wf_member(params, kinds[i], NULL) != NULL)
            wf_check(
                bw_buf_addf(out, "[%s %s] ", kinds[i], wf_member(params, kinds[i], "")));
    }
}

static void add_call(struct bw_buf *out, const json_t *call, bool colours)
{
    const char *method = wf_member(call, "method", "");
    const json_t *params = json_object_get(call, "params");

    if (strcmp(wf_member(call, "kind", ""), "warning") == 0) {
        wf_check(bw_buf_addf(out, "! node %s: the name \"%s\" yields nothing\n",
                             wf_member(call, "node", ""), wf_member(call, "name", "")));
        return;
    }
    if (strcmp(wf_member(call, "kind", ""), "telegram") != 0)
        return;
    if (strcmp(method, "deleteMessage") == 0)
        wf_check(bw_buf_add_str(out, "(a message is deleted)\n"));
    if (strncmp(method, "send", strlen("send")) != 0 &&
        strncmp(method, "edit", strlen("edit")) != 0)
        return;
    if (*method == 'e')
        wf_check(bw_buf_add_str(out, "(the message is now)\n"));
    add_medium(out, params);
    add_text(out, params, wf_member(params, "text", wf_member(params, "caption", "")),
             colours);
}

static void add_job(struct bw_buf *out, const json_t *job, bool colours)
{
    const char *failure = wf_member(job, "failure", wf_member(job, "error", NULL));
    json_t *call;
    size_t i;

    if (strcmp(wf_member(job, "job", ""), "delay-task") == 0)
        wf_check(bw_buf_add_str(out, "(later)\n"));
    json_array_foreach(json_object_get(job, "calls"), i, call)
    {
        add_call(out, call, colours);
    }
    if (failure != NULL)
        wf_check(bw_buf_addf(out, "! failed: %s\n", failure));
    else if (wf_member(job, "status", NULL) == NULL)
        wf_check(bw_buf_add_str(out, "(nothing handles it)\n"));
    else if (strcmp(wf_member(job, "wait", ""), "contact") == 0)
        wf_check(bw_buf_add_str(out, "(waits for the contact: /contact PHONE)\n"));
}

void wf_say_jobs(const json_t *trace, size_t from, bool colours, struct bw_buf *out)
{
    for (size_t i = from; i < json_array_size(trace); i++)
        add_job(out, json_array_get(trace, i), colours);
}

/* --- buttons */

static bool is_same_row(const json_t *a, const json_t *b)
{
    return a != NULL &&
           json_equal(json_object_get(a, "row"), json_object_get(b, "row")) &&
           (json_object_get(a, "message_id") == NULL) ==
               (json_object_get(b, "message_id") == NULL);
}

void wf_say_buttons(const json_t *buttons, struct bw_buf *out)
{
    const json_t *before = NULL, *button;

    for (size_t i = 0; i < json_array_size(buttons); i++) {
        button = json_array_get(buttons, i);
        if (!is_same_row(before, button))
            wf_check(bw_buf_add_str(out, before == NULL ? " " : "\n "));
        wf_check(bw_buf_addf(out, " [%zu] %s", i + 1, wf_member(button, "text", "")));
        before = button;
    }
    if (before != NULL)
        wf_check(bw_buf_add_char(out, '\n'));
}
