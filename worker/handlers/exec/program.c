#include "handlers/exec/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

enum {
    READ_BYTES = 65536,
    READS_A_TURN = 4,       /* then the other programs have their turn */
    READS_AT_END = 64,      /* what a program that has ended may have left */
    STDERR_LINE = 4096,     /* longer lines are broken */
    QUOTED_BYTES = 200,     /* of a line that is not understood */
    OPEN_REQUESTS = 1024,   /* with more nothing is read until they are answered */
    OUT_EVENTS = 65536,     /* bytes in `out`: with more no events are added */
    BACKOFF_FIRST_MS = 100, /* restarts */
    BACKOFF_LAST_MS = 30000,
    LOOK_MS = 20 /* at a child, where the system does not tell of its end */
};

enum { WATCH_IN, WATCH_OUT, WATCH_ERR, WATCH_LIFE };

/* ---- start */

static bool start(struct ex_program *program)
{
    struct ex_common *common = program->common;
    struct bw_mono now = bw_mono_now(NULL);
    struct bw_error err = { 0 };

    BW_ASSERT(program->state == EX_DOWN && program->child.pid == 0);
    program->restart_at = bw_mono_add_ms(now, program->backoff_ms);
    if (ex_child_spawn(&program->child, &common->settings, &err) != BW_OK) {
        bw_log(&common->log, BW_LOG_ERROR, "a processor cannot be started",
               bw_text("reason", err.text), bw_num("retryMs", program->backoff_ms));
        return false;
    }
    bw_log_child_field(&program->log, &common->log, bw_num("pid", program->child.pid));
    program->state = EX_STARTING;
    program->generation++;
    program->start_by = bw_mono_add_ms(now, common->settings.start_timeout);
    program->ready_since = program->killed_at = (struct bw_mono){ 0 };
    program->knows_paused = program->drop_logged = program->broke_protocol = false;
    program->last_line[0] = '\0';
    program->lines = (struct ex_lines){ .max = (size_t)common->settings.max_line_bytes };
    program->errors = (struct ex_lines){ .max = STDERR_LINE };
    bw_log(&program->log, BW_LOG_INFO, "processor started");
    if (ex_wire_hello(&program->out, &common->hello) != BW_OK)
        ex_program_kill(program, NULL);
    return true;
}

/* ---- end */

static void lose_all(struct ex_list *list, const char *reason)
{
    while (list->first != NULL)
        ex_entry_lose(list->first, reason);
    BW_ASSERT(list->count == 0);
}

static void lose_jobs(struct ex_program *program, const char *reason)
{
    lose_all(&program->jobs.running, reason);
    lose_all(&program->jobs.overdue, reason);
}

void ex_program_kill(struct ex_program *program, const char *reason)
{
    bool was_ready = program->state == EX_READY;

    if (program->child.pid == 0)
        return;
    if (program->state != EX_DYING)
        program->killed_at = bw_mono_now(NULL);
    program->state = EX_DYING;
    ex_child_signal(&program->child, SIGKILL);
    bw_buf_clear(&program->out);
    program->out_start = 0;
    if (reason != NULL)
        lose_jobs(program, reason);
    if (was_ready)
        program->common->ops->ready_changed(program);
}

/* Whoever ended it: up to the kill it was in health, or it was not. */
static bool was_healthy(const struct ex_program *program, struct bw_mono now)
{
    struct bw_mono until = program->killed_at.ns != 0 ? program->killed_at : now;

    return program->ready_since.ns != 0 &&
           bw_mono_ms_until(program->ready_since, until) >=
               program->common->settings.healthy_after;
}

static void plan_restart(struct ex_program *program)
{
    struct bw_mono now = bw_mono_now(NULL);

    BW_ASSERT(program->backoff_ms >= BACKOFF_FIRST_MS &&
              program->backoff_ms <= BACKOFF_LAST_MS);
    if (was_healthy(program, now))
        program->backoff_ms = BACKOFF_FIRST_MS;
    program->restart_at = bw_mono_add_ms(now, program->backoff_ms);
    program->backoff_ms = program->backoff_ms >= BACKOFF_LAST_MS / 2
                              ? BACKOFF_LAST_MS
                              : program->backoff_ms * 2;
    atomic_fetch_add(&program->common->restarts, 1);
}

static void forget(struct ex_program *program)
{
    BW_ASSERT(ex_jobs_count(&program->jobs) == 0 && program->jobs.moving == 0);
    ex_child_close(&program->child);
    ex_lines_fini(&program->lines);
    ex_lines_fini(&program->errors);
    bw_buf_fini(&program->out);
    program->out_start = 0;
    program->jobs.told_end = false;
    program->out_over = program->out_blocked = program->barrier = false;
    program->asked = program->unread = 0;
    program->effects = 0;
    program->effect_bytes = 0;
    program->generation++; /* answers to its questions are nobody's */
    program->state = EX_DOWN;
}

static void ended(struct ex_program *program, int status)
{
    bool by_signal = WIFSIGNALED(status);
    int number = by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
    bool was_ready = program->state == EX_READY;
    char reason[64];

    BW_ASSERT(program->child.pid == 0 && program->state != EX_DOWN);
    (void)snprintf(reason, sizeof reason,
                   by_signal ? "processor killed by signal %d"
                             : "processor exited with code %d",
                   number);
    /* Who stops the service may have told its programs as well. */
    if (program->common->draining && by_signal && (number == SIGTERM || number == SIGINT))
        program->jobs.told_end = true;
    plan_restart(program);
    bw_log(&program->log, program->common->draining ? BW_LOG_INFO : BW_LOG_WARNING,
           reason, bw_num("inFlight", ex_jobs_count(&program->jobs)),
           bw_num("restartMs",
                  program->common->draining
                      ? -1
                      : bw_mono_ms_until(bw_mono_now(NULL), program->restart_at)));
    if (program->ready_since.ns == 0 && !program->common->draining)
        program->common->ops->ended_in_vain(program, reason);
    lose_jobs(program, reason);
    forget(program);
    if (was_ready)
        program->common->ops->ready_changed(program);
}

/* ---- what it says */

static bool alive(const struct ex_program *program)
{
    return program->state == EX_STARTING || program->state == EX_READY;
}

/* The pipe fills up, and the program waits. */
static bool is_paused(const struct ex_program *program)
{
    return program->jobs.moving > 0 || program->barrier ||
           program->asked + program->unread >= OPEN_REQUESTS;
}

static void breach(struct ex_program *program, struct ex_slice line, const char *what)
{
    char quoted[QUOTED_BYTES + 1];
    size_t len = line.len < QUOTED_BYTES ? line.len : QUOTED_BYTES;

    memcpy(quoted, line.at, len);
    quoted[len] = '\0';
    atomic_fetch_add(&program->common->protocol_errors, 1);
    program->broke_protocol = true;
    bw_log(&program->log, BW_LOG_ERROR, "processor protocol error",
           bw_text("reason", what), bw_text_len("line", quoted, len));
    ex_program_kill(program, "processor protocol error");
}

/* What some languages' output begins with, and ends with: no part of a message. */
static struct ex_slice without_padding(struct ex_slice line)
{
    if (line.len >= 3 && memcmp(line.at, "\xef\xbb\xbf", 3) == 0)
        line = (struct ex_slice){ line.at + 3, line.len - 3 };
    while (line.len > 0 && strchr(" \t\r", line.at[line.len - 1]) != NULL &&
           line.at[line.len - 1] != '\0')
        line.len--;
    return line;
}

static void take_lines(struct ex_program *program)
{
    struct ex_slice line;

    while (alive(program) && !is_paused(program)) {
        enum ex_line got = ex_lines_next(&program->lines, &line);

        if (got == EX_LINE_NONE)
            return;
        if (got == EX_LINE_TOO_LONG) {
            breach(program, line, "the line is too long");
            return;
        }
        line = without_padding(line);
        if (line.len > 0 && !program->common->ops->take(program, line))
            breach(program, line, "not a message of the protocol");
    }
}

static void log_line(struct ex_program *program, struct ex_slice line)
{
    char text[STDERR_LINE + 1];

    BW_ASSERT(line.len <= STDERR_LINE); /* `errors` cuts longer ones */
    memcpy(text, line.at, line.len);
    text[line.len] = '\0';
    bw_log(&program->log, BW_LOG_INFO, "processor says",
           bw_text_len("line", text, line.len));
    if (program->ready_since.ns == 0 && line.len > 0)
        (void)snprintf(program->last_line, sizeof program->last_line, "%.199s", text);
}

static void log_errors(struct ex_program *program)
{
    struct ex_slice line;

    while (ex_lines_next(&program->errors, &line) != EX_LINE_NONE)
        log_line(program, line);
}

/* False at the end of the stream, or when there is nothing now. */
static bool read_some(int *fd, struct ex_lines *lines)
{
    char bytes[READ_BYTES];
    ssize_t got = *fd >= 0 ? read(*fd, bytes, sizeof bytes) : -1;

    if (*fd < 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return false;
    if (got <= 0 || ex_lines_feed(lines, bytes, (size_t)got) != BW_OK) {
        (void)close(*fd); /* it was only read */
        *fd = -1;
        return false;
    }
    return true;
}

static void read_out(struct ex_program *program, int reads)
{
    while (reads-- > 0 && alive(program) && !is_paused(program) &&
           read_some(&program->child.out, &program->lines))
        take_lines(program);
}

static void read_errors(struct ex_program *program, int reads)
{
    while (reads-- > 0 && read_some(&program->child.err, &program->errors))
        log_errors(program);
}

/* What it wrote before its end counts. */
static void read_rest(struct ex_program *program)
{
    struct ex_slice line;

    program->barrier = false;
    take_lines(program);
    read_out(program, READS_AT_END);
    read_errors(program, READS_AT_END);
    if (ex_lines_rest(&program->errors, &line))
        log_line(program, line);
}

/* ---- what it is told */

/* What the queue's state is may have been dropped, or been told to the one before it. */
static void tell_state(struct ex_program *program)
{
    bool paused = program->common->paused;
    const struct ex_event event = { .event = paused ? "paused" : "resumed",
                                    .attempts_made = -1 };

    if (program->knows_paused == paused || program->backlog.count > 0)
        return;
    if (ex_wire_event(&program->out, &event) == BW_OK)
        program->knows_paused = paused; /* else the next turn tries again */
}

static void note_dropped(struct ex_program *program, size_t count)
{
    if (count == 0)
        return;
    atomic_fetch_add(&program->common->events_dropped, count);
    if (!program->drop_logged)
        bw_log(&program->log, BW_LOG_WARNING,
               "events are dropped: the processor does not read them");
    program->drop_logged = true;
}

/* Events come last: no job waits behind more than a few of them. */
static void add_events(struct ex_program *program)
{
    struct bw_buf *out = &program->out;
    struct ex_note *note;

    if (program->state != EX_READY || program->out_over)
        return;
    while (out->len - program->out_start < OUT_EVENTS &&
           (note = ex_backlog_take(&program->backlog)) != NULL) {
        if (bw_buf_add(out, note->text, note->len) != BW_OK)
            note_dropped(program, 1);
        else if (note->state != EX_NOTE_PLAIN)
            program->knows_paused = note->state == EX_NOTE_PAUSED;
        ex_note_unref(note);
    }
    tell_state(program);
}

void ex_program_tell(struct ex_program *program, struct ex_note *note)
{
    note_dropped(program, ex_backlog_add(&program->backlog, note));
}

/* It may never be empty: what was written is let go, at a cost that stays linear. */
static void trim_out(struct ex_program *program)
{
    if (program->out_start < OUT_EVENTS || program->out_start < program->out.len / 2)
        return;
    bw_buf_consume(&program->out, program->out_start);
    program->out_start = 0;
}

/* False when it does not read at present, or not any more. */
static bool write_out(struct ex_program *program)
{
    struct bw_buf *out = &program->out;

    while (program->child.in >= 0 && program->out_start < out->len) {
        ssize_t wrote = write(program->child.in, out->data + program->out_start,
                              out->len - program->out_start);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN) {
            program->out_blocked = true;
            trim_out(program);
            return false;
        }
        if (wrote < 0) { /* it has closed its stdin: no more than its answers can come */
            ex_child_close_in(&program->child);
            break;
        }
        program->out_start += (size_t)wrote;
        BW_ASSERT(program->out_start <= out->len);
    }
    bw_buf_clear(out);
    program->out_start = 0;
    return program->child.in >= 0;
}

void ex_program_flush(struct ex_program *program)
{
    program->out_blocked = false;
    do
        add_events(program);
    while (write_out(program) && program->backlog.count > 0 && program->out.len == 0 &&
           program->state == EX_READY && !program->out_over);
    if (program->out_blocked)
        return;
    program->unread = 0;
    if (program->out_over)
        ex_child_close_in(&program->child);
}

/* ---- the loop */

void ex_program_watch(const struct ex_program *program, struct pollfd fds[4])
{
    const struct ex_child *child = &program->child;
    bool up = child->pid != 0;

    fds[WATCH_IN] =
        (struct pollfd){ up && program->out_blocked ? child->in : -1, POLLOUT, 0 };
    fds[WATCH_OUT] =
        (struct pollfd){ up && alive(program) && !is_paused(program) ? child->out : -1,
                         POLLIN, 0 };
    fds[WATCH_ERR] = (struct pollfd){ up ? child->err : -1, POLLIN, 0 };
    fds[WATCH_LIFE] = (struct pollfd){ up ? child->life : -1, POLLIN, 0 };
}

void ex_program_turn(struct ex_program *program, const struct pollfd fds[4])
{
    int status;

    if (program->child.pid == 0)
        return;
    take_lines(program); /* left from a pause */
    if (fds[WATCH_ERR].revents != 0)
        read_errors(program, READS_A_TURN);
    if (fds[WATCH_OUT].revents != 0)
        read_out(program, READS_A_TURN);
    if (alive(program))
        ex_program_flush(program);
    if ((program->child.life < 0 || fds[WATCH_LIFE].revents != 0) &&
        ex_child_ended(&program->child, &status)) {
        read_rest(program);
        ended(program, status);
    }
}

/* ---- deadlines */

static bool is_due(struct bw_mono due, struct bw_mono now)
{
    return !bw_mono_before(now, due);
}

void ex_program_cancel(struct ex_program *program, struct ex_entry *entry,
                       const char *reason, bool kill)
{
    int64_t grace = program->common->settings.kill_grace;

    BW_ASSERT(entry->jobs == &program->jobs);
    if (kill)
        ex_entry_set_overdue(entry, bw_mono_add_ms(bw_mono_now(NULL), grace));
    if (ex_wire_cancel(&program->out, entry->seq, reason) != BW_OK)
        ex_program_kill(program, NULL);
}

static void check_jobs(struct ex_program *program, struct bw_mono now)
{
    if (alive(program) && program->jobs.overdue.first != NULL &&
        is_due(program->jobs.overdue.first->due, now)) {
        bw_log(&program->log, BW_LOG_WARNING, "killed: a job was not given up in time");
        ex_program_kill(program, NULL);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool may_start(const struct ex_common *common)
{
    return common->begun && !common->draining;
}

static int64_t next_deadline(const struct ex_program *program, struct bw_mono now)
{
    int64_t next = EX_NEVER;

    if (program->state == EX_DOWN)
        return may_start(program->common) ? program->restart_at.ns : EX_NEVER;
    if (program->state == EX_STARTING)
        next = program->start_by.ns;
    if (program->barrier)
        next = earlier(next, program->ask_at.ns);
    if (program->jobs.overdue.first != NULL && alive(program))
        next = earlier(next, program->jobs.overdue.first->due.ns);
    if (program->child.life < 0)
        next = earlier(next, bw_mono_add_ms(now, LOOK_MS).ns);
    return next;
}

int64_t ex_program_deadlines(struct ex_program *program, struct bw_mono now)
{
    if (program->state == EX_DOWN && may_start(program->common) &&
        is_due(program->restart_at, now))
        (void)start(program); /* or again, later */
    if (program->state == EX_STARTING && is_due(program->start_by, now)) {
        bw_log(&program->log, BW_LOG_ERROR, "processor did not get ready in time",
               bw_num("startTimeoutMs", program->common->settings.start_timeout));
        ex_program_kill(program, NULL);
    }
    check_jobs(program, now);
    if (alive(program) && program->barrier && is_due(program->ask_at, now))
        program->common->ops->barrier(program);
    if (alive(program))
        ex_program_flush(program);
    return next_deadline(program, now);
}
