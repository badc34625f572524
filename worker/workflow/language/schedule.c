#include "workflow/language/schedule.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400
#define DAYS_MAX    365

/* In the order of enum wf_window. */
static const char *const windows[] = { "year", "month", "week", "day", "none" };

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* worker/workflow/spec/workflow.md §11.3: 1..365, else error. */
static int read_days(const json_t *params, const char *key, int *days,
                     struct bw_error *err)
{
    const json_t *value = json_object_get(params, key);
    double number = json_number_value(value);

    if (!json_is_number(value) || !(number >= 1 && number <= DAYS_MAX) ||
        number != (double)(int)number)
        return bw_error_set(err, BW_EINVAL,
                            "audience.params.%s: a whole number from 1 to %d expected",
                            key, DAYS_MAX);
    *days = (int)number;
    return BW_OK;
}

static int read_audience(struct wf_schedule *schedule, const json_t *audience,
                         struct bw_error *err)
{
    const json_t *params = json_object_get(audience, "params");
    const char *type = text_of(audience, "type");
    int rc = BW_OK;

    schedule->window = WF_WINDOW_DAY;
    if (type == NULL)
        return bw_error_set(err, BW_EINVAL, "audience.type is missing");
    if (strcmp(type, "all_active_users") == 0)
        return BW_OK;
    schedule->birthdays = true;
    if (strcmp(type, "birthday_today") == 0) {
        schedule->window = WF_WINDOW_YEAR;
    } else if (strcmp(type, "birthday_in_days") == 0) {
        rc = read_days(params, "daysBefore", &schedule->days, err);
    } else if (strcmp(type, "birthday_after_days") == 0) {
        rc = read_days(params, "daysAfter", &schedule->days, err);
        schedule->days = -schedule->days;
    } else {
        return bw_error_set(err, BW_EINVAL, "audience.type: \"%.60s\" is not known",
                            type);
    }
    return rc;
}

/* What cannot be understood stops the trigger rather than serve customers too often. */
static int read_window(struct wf_schedule *schedule, const json_t *value,
                       struct bw_error *err)
{
    const char *name = json_string_value(value);

    if (value == NULL || json_is_null(value))
        return BW_OK;
    for (size_t i = 0; name != NULL && i < sizeof(windows) / sizeof(windows[0]); i++) {
        if (strcmp(windows[i], name) == 0) {
            schedule->window = (enum wf_window)i;
            return BW_OK;
        }
    }
    return bw_error_set(err, BW_EINVAL,
                        "dedupeWindow: year, month, week, day or none expected");
}

int wf_schedule_read(struct wf_schedule *schedule, const json_t *config,
                     struct bw_error *err)
{
    const char *cron = text_of(config, "cron"), *zone = text_of(config, "timezone");
    int rc;

    *schedule = (struct wf_schedule){ .timezone = "UTC" };
    if (zone != NULL && *zone != '\0')
        schedule->timezone = zone;
    if (cron == NULL)
        return bw_error_set(err, BW_EINVAL, "cron is missing");
    rc = wf_cron_parse(&schedule->cron, cron, err);
    if (rc == BW_OK)
        rc = read_audience(schedule, json_object_get(config, "audience"), err);
    if (rc == BW_OK)
        rc = read_window(schedule, json_object_get(config, "dedupeWindow"), err);
    return rc;
}

/* ISO 8601: a week belongs to the year that its Thursday lies in. */
static void week_bucket(int64_t seconds, char bucket[WF_BUCKET_SIZE])
{
    unsigned weekday = wf_minute_of(seconds).weekday;
    int64_t thursday =
        seconds + ((int64_t)4 - (weekday == 0 ? 7 : weekday)) * DAY_SECONDS;
    struct wf_minute there = wf_minute_of(thursday);
    unsigned week = 1;

    while (wf_minute_of(thursday - (int64_t)week * 7 * DAY_SECONDS).year == there.year)
        week++;
    (void)snprintf(bucket, WF_BUCKET_SIZE, "%04d-W%02u", there.year, week);
}

void wf_schedule_bucket(const struct wf_schedule *schedule, int64_t seconds,
                        char bucket[WF_BUCKET_SIZE])
{
    struct wf_minute at = wf_minute_of(seconds);

    switch (schedule->window) {
    case WF_WINDOW_YEAR:
        (void)snprintf(bucket, WF_BUCKET_SIZE, "%04d", at.year);
        break;
    case WF_WINDOW_MONTH:
        (void)snprintf(bucket, WF_BUCKET_SIZE, "%04d-%02u", at.year, at.month);
        break;
    case WF_WINDOW_WEEK:
        week_bucket(seconds, bucket);
        break;
    case WF_WINDOW_DAY:
        (void)snprintf(bucket, WF_BUCKET_SIZE, "%04d-%02u-%02u", at.year, at.month,
                       at.day);
        break;
    case WF_WINDOW_NONE:
        (void)snprintf(bucket, WF_BUCKET_SIZE, "none-%04d-%02u-%02uT%02u-%02uZ", at.year,
                       at.month, at.day, at.hour, at.minute);
        break;
    }
}

struct wf_minute wf_schedule_birthday(const struct wf_schedule *schedule, int64_t seconds)
{
    return wf_minute_of(seconds + (int64_t)schedule->days * DAY_SECONDS);
}
