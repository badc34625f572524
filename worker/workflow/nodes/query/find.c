/* Queries that look a customer up. worker/workflow/spec/workflow.md §8.3, §8.4 */
#include "workflow/nodes/query/query.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/run/customer.h"
#include "workflow/base/mem.h"
#include "workflow/run/referral_link.h"
#include "workflow/run/ahead.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/person.h"
#include "workflow/base/iso.h"
#include "workflow/nodes/query/param.h"

static wf_step found, found_or_missing, welcomed, profile_read, profile_loaded,
    referral_ready;

_Static_assert(WF_COLS_user_by_platform == 1 && WF_COLS_user_by_contact == 1 &&
                   WF_COLS_balance == 1 && WF_COLS_stats == 1 &&
                   WF_COLS_transactions == 1 && WF_COLS_user_metadata == 1,
               "found() and found_or_missing() read the one column of each");

enum wf_action wf_query_by_platform(struct wf_run *run)
{
    char *telegram = wf_param_messenger_id(run, "telegramId");
    char *max = wf_param_messenger_id(run, "maxId");
    char *phone = wf_param(run, "phone"), *email = wf_param(run, "email");
    const char *const params[] = {
        run->project_id, telegram, max,
        phone,           email,    wf_param_is_max(run) ? "true" : "false"
    };
    json_t *ahead;
    bool there = wf_ahead_take_list(run, &ahead, WF_SQL_user_by_platform, params,
                                    sizeof(params) / sizeof(params[0]));

    if (!there) {
        wf_db_begin(run);
        (void)wf_db_add_list(run, WF_SQL_user_by_platform, params,
                             sizeof(params) / sizeof(params[0]));
    }
    free(telegram);
    free(max);
    free(phone);
    free(email);
    if (there)
        return wf_query_result(run, ahead);
    wf_db_run(run, found, NULL);
    return WF_PENDING;
}

static void found(struct wf_run *run)
{
    run->resume(run, wf_query_result_cell(run, 0, WF_COL_ONLY));
}

static char *lower_email(const struct wf_run *run)
{
    char *email = wf_param(run, "email");

    for (char *at = email; at != NULL && *at != '\0'; at++)
        *at = (char)((unsigned char)*at < 0x80 ? tolower((unsigned char)*at) : *at);
    return email;
}

enum wf_action wf_query_by_contact(struct wf_run *run)
{
    char *telegram = wf_param_messenger_id(run, "telegramId");
    char *phone = wf_param_phone(run, "phone"), *email = lower_email(run);
    char *forms = wf_phone_forms(phone);

    if (phone == NULL && email == NULL) {
        free(telegram);
        wf_log_warn(
            run,
            "check_user_by_contact has neither phone nor email: waiting for a contact");
        return wf_query_wait_contact(run);
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_by_contact, run->project_id, telegram, forms, email,
                    wf_param_is_max(run) ? "true" : "false");
    free(telegram);
    free(phone);
    free(email);
    free(forms);
    wf_db_run(run, found, NULL);
    return WF_PENDING;
}

/* --- by id */

static enum wf_action by_id(struct wf_run *run, enum wf_sql sql, wf_step *then)
{
    char *user_id = wf_param_id(run, "userId");

    wf_db_begin(run);
    (void)wf_db_add(run, sql, user_id, run->project_id);
    free(user_id);
    wf_db_run(run, then, NULL);
    return WF_PENDING;
}

enum wf_action wf_query_balance(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId");
    json_t *ahead;
    bool there = wf_ahead_take(run, &ahead, WF_SQL_balance, user_id, run->project_id);

    free(user_id);
    if (there && ahead != NULL)
        return wf_query_result(run, ahead);
    return by_id(run, WF_SQL_balance, found_or_missing);
}

static void found_or_missing(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId");
    enum wf_action action = wf_db_rows(run, 0) > 0
                                ? wf_query_result_cell(run, 0, WF_COL_ONLY)
                                : wf_query_no_user(run, user_id);

    free(user_id);
    run->resume(run, action);
}

enum wf_action wf_query_stats(struct wf_run *run)
{
    return by_id(run, WF_SQL_stats, found_or_missing);
}

enum wf_action wf_query_get_metadata(struct wf_run *run)
{
    return by_id(run, WF_SQL_user_metadata, found);
}

enum wf_action wf_query_welcomed(struct wf_run *run)
{
    return by_id(run, WF_SQL_welcomed, welcomed);
}

static void welcomed(struct wf_run *run)
{
    run->resume(run, wf_query_result(run, json_boolean(wf_db_true(
                                              run, 0, 0, WF_COL_welcomed_welcomed))));
}

enum wf_action wf_query_transactions(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId");
    char *text = wf_ahead_limit(json_object_get(run->scratch, "limit"));
    json_t *ahead;

    if (wf_ahead_take(run, &ahead, WF_SQL_transactions, user_id, run->project_id, text)) {
        free(user_id);
        free(text);
        return wf_query_result(run, ahead);
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_transactions, user_id, run->project_id, text);
    free(user_id);
    free(text);
    wf_db_run(run, found, NULL);
    return WF_PENDING;
}

/* --- get_user_profile, kept for 30 s (§8.4) */

enum wf_action wf_query_profile(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId");

    if (user_id == NULL)
        return wf_query_result(run, NULL);
    (void)wf_kv_add(wf_run_keys(run), WF_KV_GET,
                    wf_person_key(run, run->engine->settings.key_user_profile, user_id),
                    NULL, 0);
    free(user_id);
    wf_run_kv(run, profile_read);
    return WF_PENDING;
}

static void profile_read(struct wf_run *run)
{
    json_t *value = wf_loads(wf_kv_at(&run->kv, 0)->text);
    json_t *profile = json_object_get(value, "profile");
    char *user_id;

    wf_count_cache(&run->engine->counters, WF_CACHE_VARIABLES, json_is_object(profile));
    if (json_is_object(profile)) {
        (void)json_incref(profile);
        json_decref(value);
        run->resume(run, wf_query_result(run, profile));
        return;
    }
    json_decref(value);
    user_id = wf_param_id(run, "userId");
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_customer, run->project_id, user_id, NULL, NULL,
                    run->engine->settings.timezone);
    free(user_id);
    wf_db_run(run, profile_loaded, NULL);
}

static void profile_loaded(struct wf_run *run)
{
    json_t *row = wf_loads(wf_db_value(run, 0, 0, WF_COL_customer_object)), *profile,
           *value;
    const char *user_id = wf_member(row, "id", NULL);
    struct wf_kv kv = { 0 };
    char now[WF_ISO_SIZE];

    if (user_id == NULL) {
        json_decref(row);
        run->resume(run, wf_query_result(run, NULL));
        return;
    }
    profile = wf_customer_profile(row);
    wf_iso(wf_engine_now_ms(run->engine), now);
    value = wf_must(json_object());
    wf_json_set(value, "profile", json_incref(profile));
    wf_json_set_text(value, "userId", user_id);
    wf_json_set_text(value, "cachedAt", now);
    (void)wf_kv_add(&kv, WF_KV_SET,
                    wf_person_key(run, run->engine->settings.key_user_profile, user_id),
                    wf_dumps(value), run->engine->settings.ttl_user_profile * 1000);
    wf_kv_send(&run->engine->keys, &kv);
    json_decref(value);
    json_decref(row);
    run->resume(run, wf_query_result(run, profile));
}

/* --- get_referral_link */

enum wf_action wf_query_referral_link(struct wf_run *run)
{
    return by_id(run, WF_SQL_referral, referral_ready);
}

static void referral_ready(struct wf_run *run)
{
    const char *name = wf_db_value(run, 0, 0, WF_COL_referral_project_name);
    json_t *result;
    char *user_id, *link;

    if (wf_db_rows(run, 0) == 0) {
        run->resume(run, wf_query_result(run, NULL));
        return;
    }
    if (!wf_db_true(run, 0, 0, WF_COL_referral_refers)) {
        run->resume(run, wf_node_refuse(run, run->engine->settings.text_no_referral,
                                        "Реферальная ссылка доступна только партнёрам"));
        return;
    }
    user_id = wf_param_id(run, "userId");
    link = wf_referral_link(wf_db_value(run, 0, 0, WF_COL_referral_domain), user_id,
                            wf_db_value(run, 0, 0, WF_COL_referral_slug), NULL);
    result = wf_must(json_object());
    wf_json_set_text(result, "referralCode",
                     wf_db_value(run, 0, 0, WF_COL_referral_code));
    wf_json_set_text(result, "referralLink", link);
    wf_json_set_text(result, "projectName",
                     name != NULL && *name != '\0' ? name : "Бонусная система");
    free(link);
    free(user_id);
    run->resume(run, wf_query_result(run, result));
}
