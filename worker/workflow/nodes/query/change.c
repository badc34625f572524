/* Queries that make or change a customer. worker/workflow/spec/workflow.md §8.3 */
#include "workflow/nodes/query/query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/nodes/referral.h"
#include "workflow/run/io.h"
#include "workflow/run/log.h"
#include "workflow/run/node_result.h"
#include "workflow/run/person.h"
#include "workflow/base/ids.h"
#include "workflow/nodes/query/param.h"

enum { LOCK, REFERRAL, DETACH, ACTIVATE };

static wf_step created, adopt, adopted, clash, activated, activate_only, updated,
    contact_updated;
static enum wf_action changed(struct wf_run *run, size_t index, size_t column, bool own);
static enum wf_action contact_taken(struct wf_run *run);

_Static_assert(WF_COLS_user_update == 1 && WF_COLS_user_birthday == 1 &&
                   WF_COLS_user_metadata_set == 1,
               "updated() reads the one column of each");

/* --- create_user */

enum wf_action wf_query_create_user(struct wf_run *run)
{
    char *phone = wf_param_phone(run, "phone"), *email = wf_param(run, "email");
    char *telegram, *max, *name, *first, *last;
    bool is_max = wf_param_is_max(run);
    char id[WF_ID_SIZE];

    if (phone == NULL && email == NULL) {
        wf_log_warn(run,
                    "create_user has neither phone nor email: waiting for a contact");
        return wf_query_wait_contact(run); /* WF-129 */
    }
    telegram = wf_param_messenger_id(run, "telegramId");
    max = wf_param_messenger_id(run, "maxId");
    name = wf_param(run, "username");
    first = wf_param(run, "firstName");
    last = wf_param(run, "lastName");
    wf_id_random(id);
    wf_db_begin(run);
    (void)wf_db_add(
        run, WF_SQL_user_create, [WF_ARG_user_create_id] = id,
        [WF_ARG_user_create_project] = run->project_id,
        [WF_ARG_user_create_first_name] = first, [WF_ARG_user_create_last_name] = last,
        [WF_ARG_user_create_phone] = phone, [WF_ARG_user_create_email] = email,
        [WF_ARG_user_create_telegram_id] = is_max ? NULL : telegram,
        [WF_ARG_user_create_telegram_username] = is_max ? NULL : name,
        [WF_ARG_user_create_max_id] = is_max && max == NULL ? telegram : max,
        [WF_ARG_user_create_max_username] = is_max ? name : NULL);
    free(phone);
    free(email);
    free(telegram);
    free(max);
    free(name);
    free(first);
    free(last);
    wf_db_run(run, created, clash);
    return WF_PENDING;
}

static void created(struct wf_run *run)
{
    if (wf_db_rows(run, 0) == 0)
        adopt(run); /* it is there: link it instead */
    else
        run->resume(run, changed(run, 0, WF_COL_user_create_customer, true));
}

static void adopt(struct wf_run *run)
{
    char *phone = wf_param_phone(run, "phone"), *email = wf_param(run, "email");
    char *telegram = wf_param_messenger_id(run, "telegramId");
    char *max = wf_param_messenger_id(run, "maxId"), *name = wf_param(run, "username");

    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_adopt, run->project_id, phone, email,
                    wf_param_is_max(run) ? NULL : telegram, name,
                    wf_param_is_max(run) && max == NULL ? telegram : max);
    free(phone);
    free(email);
    free(telegram);
    free(max);
    free(name);
    wf_db_run(run, adopted, clash);
}

static void adopted(struct wf_run *run)
{
    run->resume(run, wf_db_rows(run, 0) > 0
                         ? changed(run, 0, WF_COL_user_adopt_customer, true)
                         : contact_taken(run));
}

/* After a change: the caches go, and the run may have a customer now. */
static enum wf_action changed(struct wf_run *run, size_t index, size_t column, bool own)
{
    json_t *user = wf_loads(wf_db_value(run, index, 0, column));
    const char *id = wf_member(user, "id", wf_member(user, "userId", NULL));

    run->effect = true;
    if (id != NULL) {
        if (own)
            wf_person_set(run, id);
        wf_person_changed(run, id);
    }
    return wf_query_result(run, user);
}

static enum wf_action contact_taken(struct wf_run *run)
{
    return wf_node_refuse(run, run->engine->settings.text_contact_taken,
                          "Contact already belongs to another user");
}

/* A contact that belongs to somebody else is the node's error; everything else the
 * general one. */
static void clash(struct wf_run *run)
{
    const char *message = wf_db_message(run);

    if (strcmp(wf_db_sqlstate(run), "23505") == 0)
        run->resume(run, contact_taken(run));
    else
        run->resume(run, wf_node_fail(run, "database: %s", message));
}

/* --- activate_user: one batch, one transaction */

static void add_activation(struct wf_run *run, bool welcome)
{
    char *user_id = wf_param_id(run, "userId");
    char *telegram = wf_param_messenger_id(run, "telegramId");
    char *name = wf_param(run, "telegramUsername"), *phone = wf_param_phone(run, "phone");
    const char *is_max = wf_param_is_max(run) ? "true" : "false";
    char bonus[WF_ID_SIZE], transaction[WF_ID_SIZE];

    wf_id_random(bonus);
    wf_id_random(transaction);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_lock, user_id, run->project_id);
    wf_referral_add(run, user_id);
    (void)wf_db_add(run, WF_SQL_user_detach, user_id, run->project_id, telegram, is_max);
    (void)wf_db_add(run, WF_SQL_user_activate, user_id, run->project_id, telegram, name,
                    phone, is_max);
    if (welcome)
        (void)wf_db_add(run, WF_SQL_user_welcome, user_id, run->project_id, bonus,
                        transaction);
    free(user_id);
    free(telegram);
    free(name);
    free(phone);
}

enum wf_action wf_query_activate_user(struct wf_run *run)
{
    char *telegram = wf_param_messenger_id(run, "telegramId");

    if (telegram == NULL)
        return wf_node_fail(run, "telegramId is required to activate a user");
    free(telegram);
    add_activation(run, true);
    wf_db_run(run, activated, activate_only);
    return WF_PENDING;
}

static void activated(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId");
    size_t detached = wf_db_rows(run, DETACH);

    if (wf_db_rows(run, LOCK) == 0) {
        run->resume(run, wf_query_no_user(run, user_id));
        free(user_id);
        return;
    }
    for (size_t row = 0; row < detached; row++)
        wf_person_changed(run, wf_db_value(run, DETACH, row, WF_COL_user_detach_id));
    wf_referral_done(run, REFERRAL,
                     wf_db_true(run, LOCK, 0, WF_COL_user_lock_has_referral));
    free(user_id);
    run->resume(run, changed(run, ACTIVATE, WF_COL_user_activate_customer, true));
}

/* Neither the referral nor the bonus must undo the link (§8.3, activate_user 4 and 5):
 * once more without the one, then without both. */
static void activate_only(struct wf_run *run)
{
    if (wf_referral_refused(run)) {
        add_activation(run, true);
        wf_db_run(run, activated, activate_only);
        return;
    }
    if (strcmp(wf_db_sqlstate(run), "23505") == 0) {
        clash(run);
        return;
    }
    wf_log_warn(run, "the welcome bonus could not be written");
    add_activation(run, false);
    wf_db_run(run, activated, clash);
}

/* --- updates */

enum wf_action wf_query_update_user(struct wf_run *run)
{
    json_t *data = json_object_get(run->scratch, "data");
    char *members = wf_dumps(json_is_object(data) ? data : run->scratch);
    char *user_id = wf_param_id(run, "userId");
    const json_t *from = json_is_object(data) ? data : run->scratch;

    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_update, user_id, run->project_id, members,
                    wf_member(from, "phone", NULL), wf_member(from, "email", NULL),
                    wf_member(from, "firstName", NULL),
                    wf_member(from, "lastName", NULL));
    free(members);
    free(user_id);
    wf_db_run(run, updated, clash);
    return WF_PENDING;
}

static void updated(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId");
    enum wf_action action = wf_db_rows(run, 0) > 0 ? changed(run, 0, WF_COL_ONLY, false)
                                                   : wf_query_no_user(run, user_id);

    free(user_id);
    run->resume(run, action);
}

enum wf_action wf_query_update_contact(struct wf_run *run)
{
    char *telegram = wf_param_messenger_id(run, "telegramId");
    char *phone = wf_param_phone(run, "phone"), *email = wf_param(run, "email");

    for (char *at = email; at != NULL && *at != '\0'; at++)
        *at = (char)((unsigned char)*at < 0x80 ? tolower((unsigned char)*at) : *at);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_contact, run->project_id, telegram, phone, email,
                    wf_param_is_max(run) ? "true" : "false");
    free(telegram);
    free(phone);
    free(email);
    wf_db_run(run, contact_updated, clash);
    return WF_PENDING;
}

static void contact_updated(struct wf_run *run)
{
    run->resume(run, wf_db_rows(run, 0) > 0
                         ? changed(run, 0, WF_COL_user_contact_customer, false)
                         : wf_query_result(run, NULL));
}

/* `DD.MM.YYYY`, `DD.MM`, with `.`, `/` or `-`, or ISO; false: not a real date. */
static bool read_birthday(const char *text, char out[16])
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int day = 0, month = 0, year = 2000, used = 0;
    bool leap;

    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3 && used == 10 &&
        (text[used] == '\0' || text[used] == 'T')) {
        /* ISO-8601 */
    } else if (sscanf(text, "%2d%*1[./-]%2d%*1[./-]%4d%n", &day, &month, &year, &used) ==
                   3 &&
               text[used] == '\0') {
        /* with a year */
    } else {
        year = 2000;
        if (sscanf(text, "%2d%*1[./-]%2d%n", &day, &month, &used) != 2 ||
            text[used] != '\0')
            return false;
    }
    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1800 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > days[month - 1] + (month == 2 && leap ? 1 : 0))
        return false;
    (void)snprintf(out, 16, "%04d-%02d-%02d", year % 10000, month % 100, day % 100);
    return true;
}

enum wf_action wf_query_update_birthday(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId"), *text = wf_param(run, "birthDate");
    char date[16];
    bool real = text != NULL && read_birthday(text, date);

    free(text);
    if (!real) {
        free(user_id);
        return wf_node_refuse(run, run->engine->settings.text_birth_date,
                              "Invalid birth date");
    }
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_birthday, user_id, run->project_id, date);
    free(user_id);
    wf_db_run(run, updated, NULL);
    return WF_PENDING;
}

/* One more text of an array as PostgreSQL writes it. */
static void add_quoted(struct bw_buf *out, const char *text)
{
    wf_check(bw_buf_add_str(out, out->len > 1 ? ",\"" : "\""));
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            wf_check(bw_buf_add_char(out, '\\'));
        wf_check(bw_buf_add_char(out, *text));
    }
    wf_check(bw_buf_add_char(out, '"'));
}

enum wf_action wf_query_update_metadata(struct wf_run *run)
{
    char *user_id = wf_param_id(run, "userId"), *text;
    json_t *set = wf_must(json_object()), *value;
    struct bw_buf gone = BW_BUF_INIT;
    const char *key;

    wf_check(bw_buf_add_char(&gone, '{'));
    json_object_foreach(json_object_get(run->scratch, "metadata"), key, value)
    {
        if (json_is_null(value))
            add_quoted(&gone, key);
        else
            wf_json_set(set, key, json_incref(value));
    }
    wf_check(bw_buf_add_char(&gone, '}'));
    text = wf_dumps(set);
    wf_db_begin(run);
    (void)wf_db_add(run, WF_SQL_user_metadata_set, user_id, run->project_id, text,
                    bw_buf_text(&gone));
    free(text);
    free(user_id);
    json_decref(set);
    bw_buf_fini(&gone);
    wf_db_run(run, updated, NULL);
    return WF_PENDING;
}
