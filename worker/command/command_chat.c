/* `bulwark workflow chat`: a conversation with a workflow that is run dry. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command_chat.h"
#include "base/exit_code.h"
#include "command/command.h"
#include "workflow/authoring/dry/dry_run.h"
#include "workflow/authoring/say.h"
#include "workflow/authoring/talk.h"
#include "workflow/base/mem.h"

struct chat {
    struct wf_dry *dry;
    struct wf_talk *talk;
    size_t said; /* jobs of the trace that were shown */
    bool terminal;
};

/* --- a line */

struct command {
    const char *name;
    int (*run)(struct chat *chat, const char *rest, struct bw_error *err);
};

static int say(struct chat *chat, const char *rest, struct bw_error *err)
{
    (void)err;
    wf_talk_text(chat->talk, rest);
    return BW_OK;
}

static int contact(struct chat *chat, const char *rest, struct bw_error *err)
{
    (void)err;
    wf_talk_contact(chat->talk, *rest != '\0' ? rest : NULL);
    return BW_OK;
}

static int location(struct chat *chat, const char *rest, struct bw_error *err)
{
    return wf_talk_location(chat->talk, rest, err);
}

static int press(struct chat *chat, const char *rest, struct bw_error *err)
{
    bool strange;

    return wf_talk_press(chat->talk, rest, &strange, err);
}

static const struct command commands[] = {
    { "/say", say },
    { "/contact", contact },
    { "/location", location },
    { "/press", press },
};

/* The number of a button that is there, from 1; 0: it is none. */
static size_t button_number(struct chat *chat, const char *line)
{
    char *end;
    unsigned long number = strtoul(line, &end, 10);

    if (strspn(line, "0123456789") != strlen(line) || number == 0 ||
        number > json_array_size(wf_talk_buttons(chat->talk)))
        return 0;
    return number;
}

static int take_line(struct chat *chat, const char *line, struct bw_error *err)
{
    size_t number = button_number(chat, line);

    if (number > 0)
        return wf_talk_press_number(chat->talk, number - 1, err);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        size_t len = strlen(commands[i].name);

        if (strncmp(line, commands[i].name, len) == 0 &&
            (line[len] == ' ' || line[len] == '\0'))
            return commands[i].run(chat, line + len + (line[len] == ' '), err);
    }
    return say(chat, line, err);
}

/* --- the conversation */

static int show(struct chat *chat)
{
    const json_t *trace = wf_dry_trace(chat->dry);
    struct bw_buf out = BW_BUF_INIT;
    int code = WK_EXIT_OK;

    wf_say_jobs(trace, chat->said, chat->terminal, &out);
    wf_say_buttons(wf_talk_buttons(chat->talk), &out);
    chat->said = json_array_size(trace);
    if (out.len > 0)
        code = wk_print(bw_buf_text(&out));
    bw_buf_fini(&out);
    return code;
}

static void prompt(const struct chat *chat)
{
    if (chat->terminal && fputs("> ", stdout) >= 0)
        (void)fflush(stdout); /* only a prompt */
}

/* Line by line, up to the end or /quit. */
static int converse(struct chat *chat)
{
    int code = WK_EXIT_OK;
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    prompt(chat);
    while (code == WK_EXIT_OK && (len = getline(&line, &room, stdin)) >= 0) {
        struct bw_error err = { 0 };

        while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
            line[--len] = '\0';
        if (strcmp(line, "/quit") == 0)
            break;
        if (len > 0 && take_line(chat, line, &err) != BW_OK)
            (void)wk_complain(&err); /* the next line may be better */
        if (len > 0)
            code = show(chat);
        prompt(chat);
    }
    free(line);
    return code == WK_EXIT_OK ? WK_EXIT_OK : WK_EXIT_USAGE;
}

static int greet(const struct chat *chat)
{
    return chat->terminal
               ? wk_print(
                     "Write what you would write to the bot, e.g. /start; the number "
                     "of a button presses\nit; /contact PHONE shares a contact; "
                     "Ctrl-D ends.\n")
               : WK_EXIT_OK;
}

/* Ctrl-C ends this command as it does any other. */
static void let_signals_in(void)
{
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigprocmask(SIG_UNBLOCK, &signals, NULL); /* these arguments are right */
}

int wk_workflow_chat(const struct wk_workflow_options *options)
{
    struct chat chat = { .terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) };
    json_t *workflow = NULL, *state = NULL;
    struct bw_error err = { 0 };
    int rc = wk_workflow_inputs(options, "workflow chat: FILE expected", &workflow,
                                &state, &err);
    int code;

    if (rc == BW_OK)
        rc = wf_dry_create(&chat.dry, workflow, state, &err);
    if (rc == BW_OK) {
        let_signals_in();
        chat.talk = wf_talk_create(chat.dry, state);
        code = greet(&chat) == WK_EXIT_OK ? converse(&chat) : WK_EXIT_USAGE;
    } else {
        code = wk_complain(&err);
    }
    wf_talk_destroy(&chat.talk);
    wf_dry_destroy(&chat.dry);
    json_decref(workflow);
    json_decref(state);
    return code;
}
