/* add_bonus, spend_bonus. worker/workflow/spec/workflow.md §8.4, §3.9.3 */
#include "workflow/nodes/query/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/language/number.h"
#include "workflow/language/value.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/person.h"
#include "workflow/run/task.h"
#include "workflow/base/ids.h"
#include "workflow/language/text.h"
#include "workflow/nodes/query/param.h"

#define LOCK_PAUSE_MS 50

enum { USER, DONE };

static wf_step added, spend, spent, release, spend_refused, try_lock, lock_tried;

/* The leading numeric part of a text, as parseFloat() finds it, as money in two decimals;
 * false: none. */
static bool read_amount(const char *text, char out[32], double *amount)
{
    double given = text != NULL ? wf_number_leading(wf_text_of(text)) : NAN;

    if (!(fabs(given) <= 99999999.99))
        return false;
    (void)snprintf(out, 32, "%.2f", given);
    *amount = given;
    return true;
}

/* How often this node has run in this job (§3.9.3). */
static char *visit_text(const struct wf_run *run)
{
    return wf_printf("%lld", (long long)json_integer_value(
                                 json_object_get(run->progress.visits, run->node->id)));
}

/* Steps of the execution before this job. */
static void before_text(const struct wf_run *run, char text[24])
{
    (void)snprintf(text, 24, "%lld", (long long)run->execution.steps_before);
}

/* Whose effects these are: a scheduled run's are its ledger row's, so that no attempt
 * repeats them (§3.9.3). */
static const char *effect_owner(const struct wf_run *run)
{
    return run->attempt.effect_owner != NULL ? run->attempt.effect_owner
                                             : run->execution.id;
}

static void changed(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId");

    run->effect = true;
    if (user_id != NULL)
        wf_person_changed(run, user_id);
    free(user_id);
}

/* --- add_bonus */

static bool is_bonus_type(const char *type)
{
    static const char *const types[] = { "PURCHASE", "BIRTHDAY", "MANUAL",
                                         "REFERRAL", "PROMO",    "WELCOME" };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i], type) == 0)
            return true;
    }
    return false;
}

/* A date or time as ISO writes it; anything else means the default. */
static bool is_time(const char *text)
{
    int year, month, day;

    return text != NULL && sscanf(text, "%4d-%2d-%2d", &year, &month, &day) == 3 &&
           strspn(text, "0123456789-:.TZ+ ") == strlen(text);
}

static enum wf_action send_bonus(struct wf_run *run, const char *amount, const char *type)
{
    char *user_id = wf_param_id(run, "userId"),
         *description = wf_param(run, "description");
    char *expires = wf_param(run, "expiresAt"), *visit = visit_text(run);
    char bonus[WF_ID_SIZE], transaction[WF_ID_SIZE], before[24];

    before_text(run, before);
    wf_id_random(bonus);
    wf_id_random(transaction);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_lock, user_id, run->project_id);
    (void)wf_db_add(
        run, WF_SQL_add_bonus, [WF_ARG_add_bonus_bonus] = bonus,
        [WF_ARG_add_bonus_user] = user_id, [WF_ARG_add_bonus_project] = run->project_id,
        [WF_ARG_add_bonus_amount] = amount, [WF_ARG_add_bonus_type] = type,
        [WF_ARG_add_bonus_description] = description,
        [WF_ARG_add_bonus_expires_at] = is_time(expires) ? expires : NULL,
        [WF_ARG_add_bonus_transaction] = transaction,
        [WF_ARG_add_bonus_execution] = effect_owner(run),
        [WF_ARG_add_bonus_node] = run->node->id, [WF_ARG_add_bonus_visit] = visit,
        [WF_ARG_add_bonus_steps_before] = before);
    free(user_id);
    free(description);
    free(expires);
    free(visit);
    wf_db_run(run, added, NULL);
    return WF_PENDING;
}

static void added(struct wf_run *run)
{
    char *user_id;

    if (wf_db_rows(run, DONE) == 0) {
        user_id = wf_param_id(run, "userId");
        run->resume(run, wf_query_no_user(run, user_id));
        free(user_id);
        return;
    }
    changed(run);
    run->resume(run, wf_query_result_cell(run, DONE, WF_COL_add_bonus_bonus));
}

enum wf_action wf_query_add_bonus(struct wf_run *run)
{
    char *raw = wf_param(run, "amount"), *type = wf_param(run, "type");
    const char *type_name = type != NULL ? type : "MANUAL";
    char amount[32];
    double number = 0;
    enum wf_action action;

    if (!read_amount(raw, amount, &number) || number < 0) {
        action = wf_node_refuse(run, run->engine->settings.text_amount,
                                "Invalid bonus amount: %s", raw != NULL ? raw : "");
    } else if (!is_bonus_type(type_name)) {
        action = wf_node_fail(run, "Invalid bonus type: %s", type_name);
    } else if (strcmp(amount, "0.00") == 0) {
        wf_log_warn(run, "a bonus of 0 is not written");
        action = wf_query_result(run, NULL); /* WF-134 */
    } else {
        action = send_bonus(run, amount, type_name);
    }
    free(raw);
    free(type);
    return action;
}

/* --- spend_bonus: under the lock, and under the row's lock in one transaction */

enum wf_action wf_query_spend_bonus(struct wf_run *run)
{
    char *raw = wf_param(run, "amount"), *user_id = wf_param_id(run, "userId");
    char amount[32];
    double number = 0;
    enum wf_action action = WF_PENDING;

    if (!read_amount(raw, amount, &number) || number <= 0 ||
        strcmp(amount, "0.00") == 0) {
        action = wf_node_refuse(run, run->engine->settings.text_amount,
                                "Invalid bonus amount: %s", raw != NULL ? raw : "");
    } else if (user_id == NULL) {
        action = wf_query_no_user(run, NULL);
    } else {
        wf_lock_init(&run->work.lock, wf_printf("lock:user:%s:spend", user_id));
        run->work.lock_until = bw_mono_add_ms(wf_engine_mono(run->engine),
                                              run->engine->settings.spend_wait_ms);
        try_lock(run);
    }
    free(raw);
    free(user_id);
    return action;
}

static void spend(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId"),
         *description = wf_param(run, "description");
    char *raw = wf_param(run, "amount"), *visit = visit_text(run);
    char transaction[WF_ID_SIZE], amount[32] = "0", before[24];
    double number;

    before_text(run, before);
    (void)read_amount(raw, amount, &number); /* it was good before */
    wf_id_random(transaction);
    wf_db_begin(run);
    if (run->redis_away)
        (void)wf_db_add(run, WF_SQL_advisory_lock, run->work.lock.key);
    (void)wf_db_add(run, WF_SQL_user_lock, user_id, run->project_id);
    run->work.index = wf_db_add(
        run, WF_SQL_spend_bonus, [WF_ARG_spend_bonus_user] = user_id,
        [WF_ARG_spend_bonus_project] = run->project_id,
        [WF_ARG_spend_bonus_amount] = amount,
        [WF_ARG_spend_bonus_description] = description,
        [WF_ARG_spend_bonus_transaction] = transaction,
        [WF_ARG_spend_bonus_owner] = effect_owner(run),
        [WF_ARG_spend_bonus_node] = run->node->id, [WF_ARG_spend_bonus_visit] = visit,
        [WF_ARG_spend_bonus_workflow] = run->execution.workflow_id,
        [WF_ARG_spend_bonus_execution] = run->execution.id,
        [WF_ARG_spend_bonus_steps_before] = before);
    free(user_id);
    free(description);
    free(raw);
    free(visit);
    wf_db_run(run, spent, spend_refused);
}

/* New: what the person is told. How much he has is nobody else's business. */
static char *balance_low(const struct wf_run *run, const char *available,
                         const char *required)
{
    const struct wf_settings *settings = &run->engine->settings;
    const char *const fills[] = { "available", available, "required", required, NULL };

    return run->event.shared ? wf_strdup(settings->text_balance_low_here)
                             : wf_settings_key(settings->text_balance_low, fills);
}

static enum wf_action spending(struct wf_run *run, size_t index)
{
    const char *total = wf_db_value(run, index, 0, WF_COL_spend_bonus_total);
    const char *before = wf_db_value(run, index, 0, WF_COL_spend_bonus_before),
               *now = wf_db_value(run, index, 0, WF_COL_spend_bonus_now);
    struct bw_buf required = BW_BUF_INIT;
    enum wf_action action;
    char *user_id, *raw, *notice;

    if (!wf_db_true(run, index, 0, WF_COL_spend_bonus_exists)) {
        user_id = wf_param_id(run, "userId");
        action = wf_query_no_user(run, user_id);
        free(user_id);
        return action;
    }
    if (before != NULL || now != NULL) {
        changed(run);
        return wf_query_result(run, wf_loads(before != NULL ? before : now));
    }
    raw = wf_param(run, "amount");
    wf_check(wf_number_text(wf_number_leading(wf_text_of(raw != NULL ? raw : "0")),
                            &required));
    notice = balance_low(run, total != NULL ? total : "0", bw_buf_text(&required));
    action = wf_node_refuse(run, notice,
                            "Insufficient bonus balance. Available: %s, Required: %s",
                            total != NULL ? total : "0", bw_buf_text(&required));
    free(notice);
    bw_buf_fini(&required);
    free(raw);
    return action;
}

static void spent(struct wf_run *run)
{
    release(run);
    run->resume(run, spending(run, run->work.index));
}

static void release(struct wf_run *run)
{
    struct wf_kv kv = { 0 };

    wf_locks_remove(&run->engine->locks, &run->work.lock);
    (void)wf_kv_add(&kv, WF_KV_RELEASE, wf_strdup(run->work.lock.key),
                    wf_strdup(run->work.lock.token), 0);
    wf_kv_send(&run->engine->keys, &kv);
    wf_lock_fini(&run->work.lock);
}

static void spend_refused(struct wf_run *run)
{
    const char *message = wf_db_message(run);

    release(run);
    run->resume(run, wf_node_fail(run, "database: %s", message));
}

static void try_lock(struct wf_run *run)
{
    (void)wf_kv_add(wf_run_keys(run), WF_KV_SET_NEW, wf_strdup(run->work.lock.key),
                    wf_strdup(run->work.lock.token), run->engine->settings.lock_ttl_ms);
    wf_run_kv(run, lock_tried);
}

static void lock_tried(struct wf_run *run)
{
    if (wf_run_lost(run))
        return;
    if (wf_kv_at(&run->kv, 0)->yes) {
        wf_locks_add(&run->engine->locks, &run->work.lock, wf_engine_mono(run->engine));
        spend(run);
    } else if (bw_mono_before(wf_engine_mono(run->engine), run->work.lock_until)) {
        wf_run_after(run, LOCK_PAUSE_MS, try_lock);
    } else {
        wf_lock_fini(&run->work.lock);
        wf_run_transient(run, 0, "Could not acquire lock for spending bonuses");
    }
}
