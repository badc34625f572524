/* A schedule trigger's config, as an editor stores it; what is no JSON is read as its
 * cron alone. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/language/schedule.h"

#define MINUTE 60
#define YEAR   ((int64_t)365 * 24 * 3600)

static void run(const struct wf_schedule *schedule)
{
    for (int i = 0; i < 48; i++) { /* 2020 to 2067, at all times of day */
        int64_t seconds = (50 + i) * YEAR + (int64_t)i * 1831 * MINUTE;
        struct wf_minute at = wf_minute_of(seconds);
        struct wf_minute birthday = wf_schedule_birthday(schedule, seconds);
        char bucket[WF_BUCKET_SIZE] = "";

        (void)wf_cron_matches(&schedule->cron, &at); /* either is right */
        wf_schedule_bucket(schedule, seconds, bucket);
        if (bucket[0] == '\0' || birthday.month < 1 || birthday.month > 12)
            abort();
    }
}

static bool in_range(const struct wf_cron *cron)
{
    return cron->minutes != 0 && cron->minutes >> 60 == 0 && cron->hours != 0 &&
           cron->hours >> 24 == 0 && cron->days != 0 && cron->days >> 32 == 0 &&
           cron->months != 0 && cron->months >> 13 == 0 && cron->weekdays != 0 &&
           cron->weekdays >> 7 == 0;
}

static void read_cron(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct wf_cron cron;

    if (text != NULL && wf_cron_parse(&cron, text, NULL) == BW_OK && !in_range(&cron))
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *config = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    struct wf_schedule schedule;

    if (config == NULL) {
        read_cron(data, size);
    } else if (wf_schedule_read(&schedule, config, NULL) == BW_OK) {
        if (!in_range(&schedule.cron))
            abort();
        run(&schedule);
    }
    json_decref(config);
    return 0;
}
