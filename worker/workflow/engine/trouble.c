#include "workflow/engine/trouble.h"

#include <stdio.h>
#include <string.h>

#include "workflow/engine/engine.h"

#define PAUSE_MS     1000
#define PAUSE_MAX_MS 30000
#define ASK_MS       10000 /* a server that is away: the batch waits for its return */
#define IDLE_MS      1000  /* nobody came to be tried */

void wf_trouble_init(struct wf_trouble *trouble)
{
    *trouble = (struct wf_trouble){ 0 };
    bw_mutex_init(&trouble->mutex);
}

void wf_trouble_fini(struct wf_trouble *trouble)
{
    bw_mutex_fini(&trouble->mutex);
}

/* --- what an answer means */

struct cause {
    enum wf_held_reason reason;
    bool everywhere; /* whatever the statement: the server, not the schema */
};

static const struct rule {
    const char *prefix; /* of the SQLSTATE: a class, or a whole code */
    struct cause cause;
} rules[] = {
    { "42P01", { WF_HELD_SCHEMA, false } }, /* no such table */
    { "42703", { WF_HELD_SCHEMA, false } }, /* no such column */
    { "42883", { WF_HELD_SCHEMA, false } }, /* no such function */
    { "3F", { WF_HELD_SCHEMA, false } },    /* no such schema */
    { "42501", { WF_HELD_RIGHT, false } },  { "25006", { WF_HELD_READONLY, true } },
    { "28", { WF_HELD_RIGHT, true } },     /* who one says to be */
    { "3D", { WF_HELD_DATABASE, true } },  /* no such database */
    { "08", { WF_HELD_DATABASE, true } },  /* the connection */
    { "53", { WF_HELD_DATABASE, true } },  /* no room, no connection */
    { "57P", { WF_HELD_DATABASE, true } }, /* it stops or starts */
    { "58", { WF_HELD_DATABASE, true } },  /* its disk */
};

static const struct cause *cause_of(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strncmp(sqlstate, rules[i].prefix, strlen(rules[i].prefix)) == 0)
            return &rules[i].cause;
    }
    return NULL;
}

/* Without an SQLSTATE: the server was not reached, or did not answer. */
static const struct cause *silence(struct wf_engine *engine, enum wf_db_outcome outcome)
{
    static const struct cause away = { WF_HELD_DATABASE, true };
    const struct wf_effects *effects = engine->effects;
    int64_t heard = atomic_load_explicit(&engine->db_heard_at, memory_order_relaxed);
    int64_t window = (int64_t)engine->settings.db_timeout_ms * 1000000;

    if (outcome == WF_DB_TRANSIENT)
        return effects->db_reachable(effects->arg) ? NULL : &away;
    /* late: the statement's own fault where others were answered meanwhile */
    return heard > wf_engine_mono(engine).ns - window ? NULL : &away;
}

/* NULL: not the operator's. */
static const struct cause *diagnose(struct wf_engine *engine,
                                    const struct wf_batch *batch)
{
    const struct wf_effects *effects = engine->effects;
    enum wf_db_outcome outcome = effects->batch_outcome(batch);
    const char *sqlstate = effects->batch_sqlstate(batch);
    enum wf_sql refused = effects->batch_refused(batch);
    const struct cause *cause;

    if (*sqlstate == '\0')
        return silence(engine, outcome);
    cause = cause_of(sqlstate);
    if (cause == NULL || cause->everywhere || refused == WF_SQL_COUNT)
        return cause;
    return wf_store_need(refused) == WF_NEED_ALL ? cause : NULL;
}

/* Without the statement's name. */
static void word(char text[WF_TROUBLE_TEXT_MAX], enum wf_held_reason reason,
                 const char *message)
{
    const char *colon = strncmp(message, "wf_", 3) == 0 ? strstr(message, ": ") : NULL;

    if (*message == '\0')
        message = "it does not answer";
    (void)snprintf(text, WF_TROUBLE_TEXT_MAX, "%s: %s", wf_held_label(reason),
                   colon != NULL ? colon + 2 : message); /* cut is fine */
}

/* --- the hold */

static void tell(struct wf_engine *engine, bool held, unsigned let)
{
    engine->effects->hold(engine->effects->arg, engine->queue, held, let);
}

static void pause_until(struct wf_engine *engine, int64_t ms)
{
    struct wf_trouble *trouble = &engine->trouble;

    bw_mutex_assert_held(&trouble->mutex);
    trouble->phase = WF_TROUBLE_PAUSE;
    trouble->next = bw_mono_add_ms(wf_engine_mono(engine), ms);
}

/* One line for each cause, not for each job. */
static void set_cause(struct wf_engine *engine, enum wf_held_reason reason,
                      const char *message)
{
    struct wf_trouble *trouble = &engine->trouble;
    bool first = trouble->phase == WF_TROUBLE_NONE;
    char text[WF_TROUBLE_TEXT_MAX];

    bw_mutex_assert_held(&trouble->mutex);
    word(text, reason, message);
    if (first || trouble->reason != reason)
        bw_log(engine->log, BW_LOG_ERROR,
               "no job is taken until the database serves again",
               bw_text("reason", text));
    if (!first)
        wf_held_set(&engine->held, trouble->reason, false);
    wf_held_set(&engine->held, reason, true);
    trouble->reason = reason;
    memcpy(trouble->text, text, sizeof(text));
}

static void again_later(struct wf_engine *engine)
{
    struct wf_trouble *trouble = &engine->trouble;

    pause_until(engine, trouble->pause_ms);
    /* a batch waits by itself for a server that is away */
    if (trouble->reason != WF_HELD_DATABASE)
        trouble->pause_ms =
            trouble->pause_ms * 2 < PAUSE_MAX_MS ? trouble->pause_ms * 2 : PAUSE_MAX_MS;
}

static void hold(struct wf_engine *engine, bool tried, enum wf_held_reason reason,
                 const char *message)
{
    struct wf_trouble *trouble = &engine->trouble;

    bw_mutex_lock(&trouble->mutex);
    if (trouble->phase == WF_TROUBLE_NONE) {
        set_cause(engine, reason, message);
        trouble->pause_ms = PAUSE_MS;
        again_later(engine);
        tell(engine, true, 0);
    } else if (tried) {
        set_cause(engine, reason, message);
        again_later(engine);
        tell(engine, true, 0);
    }
    bw_mutex_unlock(&trouble->mutex);
    wf_busy_keep_ticking(&engine->busy, 0);
}

static void release(struct wf_engine *engine)
{
    struct wf_trouble *trouble = &engine->trouble;

    bw_mutex_assert_held(&trouble->mutex);
    bw_log(engine->log, BW_LOG_WARNING, "the database serves again; jobs are taken");
    wf_held_set(&engine->held, trouble->reason, false);
    trouble->phase = WF_TROUBLE_NONE;
    tell(engine, false, 0);
}

bool wf_trouble_is(struct wf_engine *engine, const struct wf_batch *batch, bool *tried)
{
    const struct cause *cause = diagnose(engine, batch);
    bool was_tried = *tried;

    if (cause == NULL)
        return false;
    *tried = false;
    hold(engine, was_tried, cause->reason, engine->effects->batch_message(batch));
    return true;
}

bool wf_trouble_admit(struct wf_engine *engine, bool *tried)
{
    struct wf_trouble *trouble = &engine->trouble;
    bool admitted = true;

    bw_mutex_lock(&trouble->mutex);
    if (trouble->phase == WF_TROUBLE_OPEN) {
        trouble->phase = WF_TROUBLE_TRYING;
        *tried = true;
    } else {
        admitted = trouble->phase == WF_TROUBLE_NONE;
    }
    bw_mutex_unlock(&trouble->mutex);
    return admitted;
}

void wf_trouble_ended(struct wf_engine *engine, bool tried)
{
    struct wf_trouble *trouble = &engine->trouble;

    if (!tried)
        return;
    bw_mutex_lock(&trouble->mutex);
    if (trouble->phase == WF_TROUBLE_TRYING)
        release(engine);
    bw_mutex_unlock(&trouble->mutex);
}

/* --- asking the database itself */

static bool is_readonly(const struct wf_effects *effects, const struct wf_batch *batch)
{
    const char *value = effects->batch_value(batch, 0, 0, WF_COL_writable_read_only);

    return value != NULL && strcmp(value, "on") == 0;
}

static void asked(struct wf_batch *batch, void *arg)
{
    struct wf_engine *engine = arg;
    struct wf_trouble *trouble = &engine->trouble;
    const struct wf_effects *effects = engine->effects;
    const struct cause *cause;

    bw_mutex_lock(&trouble->mutex);
    if (effects->batch_outcome(batch) != WF_DB_OK) {
        cause = cause_of(effects->batch_sqlstate(batch));
        set_cause(engine, cause != NULL ? cause->reason : WF_HELD_DATABASE,
                  effects->batch_message(batch));
        again_later(engine);
    } else if (is_readonly(effects, batch)) {
        set_cause(engine, WF_HELD_READONLY, "the server takes no changes");
        again_later(engine);
    } else {
        trouble->phase = WF_TROUBLE_OPEN;
        trouble->next = bw_mono_add_ms(wf_engine_mono(engine), IDLE_MS);
        tell(engine, true, 1);
    }
    bw_mutex_unlock(&trouble->mutex);
    effects->batch_destroy(&batch);
    wf_busy_leave(&engine->busy);
}

static void ask(struct wf_engine *engine)
{
    const struct wf_effects *effects = engine->effects;
    struct wf_batch *batch = effects->batch_create(effects->arg);

    (void)effects->batch_add(batch, WF_SQL_writable, NULL, 0);
    for (int sql = 0; sql < WF_SQL_COUNT; sql++) {
        if (wf_store_need((enum wf_sql)sql) == WF_NEED_ALL && sql != WF_SQL_writable)
            effects->batch_add_plan(batch, (enum wf_sql)sql);
    }
    wf_busy_enter(&engine->busy);
    (void)effects->batch_submit(effects->arg, batch, ASK_MS, asked, engine);
}

void wf_trouble_tick(struct wf_engine *engine)
{
    struct wf_trouble *trouble = &engine->trouble;
    struct bw_mono now = wf_engine_mono(engine);
    bool due, asks;

    bw_mutex_lock(&trouble->mutex);
    due = trouble->phase != WF_TROUBLE_NONE && !bw_mono_before(now, trouble->next);
    asks = due && trouble->phase == WF_TROUBLE_PAUSE;
    if (asks)
        trouble->phase = WF_TROUBLE_ASKING;
    else if (due && trouble->phase == WF_TROUBLE_OPEN)
        release(engine); /* there is no job to try it with */
    bw_mutex_unlock(&trouble->mutex);
    if (asks)
        ask(engine);
}

bool wf_trouble_holds(struct wf_engine *engine)
{
    bool holds;

    bw_mutex_lock(&engine->trouble.mutex);
    holds = engine->trouble.phase != WF_TROUBLE_NONE;
    bw_mutex_unlock(&engine->trouble.mutex);
    return holds;
}

bool wf_trouble_text(struct wf_engine *engine, char *text, size_t size)
{
    struct wf_trouble *trouble = &engine->trouble;
    bool held;

    bw_mutex_lock(&trouble->mutex);
    held = trouble->phase != WF_TROUBLE_NONE;
    if (held)
        (void)snprintf(text, size, "%s", trouble->text); /* cut is fine */
    bw_mutex_unlock(&trouble->mutex);
    return held;
}
