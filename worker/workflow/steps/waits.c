#include "workflow/steps/waits.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "workflow/base/mem.h"
#include "workflow/language/event.h"

#define BIT(type) (1u << WF_WAIT_##type)

/* The wait types the event may resume, a bit each. */
static unsigned accepted(const struct wf_event *event, bool matched)
{
    switch (event->kind) {
    case WF_EVENT_CONTACT:
        return BIT(CONTACT) | BIT(INPUT);
    case WF_EVENT_TEXT:
    case WF_EVENT_COMMAND:
        return BIT(INPUT) | BIT(CONTACT) | BIT(LOCATION) | BIT(POLL);
    case WF_EVENT_CALLBACK:
        return matched
                   ? BIT(CONTACT) | BIT(INPUT) | BIT(CALLBACK) | BIT(LOCATION) | BIT(POLL)
                   : BIT(CONTACT);
    case WF_EVENT_LOCATION:
        return BIT(LOCATION) | BIT(INPUT);
    case WF_EVENT_POLL:
        return BIT(POLL) | BIT(INPUT);
    case WF_EVENT_START:
    case WF_EVENT_OTHER:
        break;
    }
    return 0;
}

char *wf_waits_accepted(const struct wf_event *event, bool matched)
{
    unsigned types = accepted(event, matched);
    struct bw_buf out = BW_BUF_INIT;

    wf_check(bw_buf_add_char(&out, '{'));
    for (unsigned type = 1; type < WF_WAIT_COUNT; type++) {
        if ((types & (1u << type)) != 0)
            wf_check(bw_buf_addf(&out, "%s%s", out.len > 1 ? "," : "",
                                 wf_wait_name((enum wf_wait_type)type)));
    }
    wf_check(bw_buf_add_char(&out, '}'));
    return bw_buf_take(&out);
}

bool wf_waits_accepts(const struct wf_event *event, bool matched, enum wf_wait_type type)
{
    return type != WF_WAIT_NOTHING && (accepted(event, matched) & (1u << type)) != 0;
}

bool wf_waits_typed(enum wf_wait_type type)
{
    return ((BIT(CONTACT) | BIT(INPUT) | BIT(LOCATION) | BIT(POLL)) & (1u << type)) != 0;
}

/* --- what a text means */

/* One UTF-8 character's length; 1 for a stray byte. */
static size_t char_len(const char *at)
{
    unsigned char first = (unsigned char)*at;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;

    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 1;
    }
    return len;
}

/* Letters, digits and blanks of a text, Latin and Cyrillic, in lower case, without what
 * surrounds them: emoji and punctuation go, inner hyphens stay. */
static char *bare(const char *text)
{
    struct bw_buf out = BW_BUF_INIT;
    size_t end;
    char *result;

    for (const char *at = text; *at != '\0'; at += char_len(at)) {
        unsigned char a = (unsigned char)at[0],
                      b = char_len(at) == 2 ? (unsigned char)at[1] : 0;

        if (a < 0x80) {
            if (isalnum(a) || (bw_buf_text(&out)[0] != '\0' && (a == ' ' || a == '-')))
                wf_check(bw_buf_add_char(&out, (char)tolower(a)));
        } else if (a == 0xd0 && b >= 0x90 && b <= 0x9f) { /* А…П */
            wf_check(bw_buf_add(&out, (char[]){ (char)0xd0, (char)(b + 0x20) }, 2));
        } else if (a == 0xd0 && b >= 0xa0 && b <= 0xaf) { /* Р…Я */
            wf_check(bw_buf_add(&out, (char[]){ (char)0xd1, (char)(b - 0x20) }, 2));
        } else if ((a == 0xd0 && b >= 0xb0) || (a == 0xd1 && b != 0 && b <= 0x8f)) {
            wf_check(bw_buf_add(&out, at, 2));
        }
    }
    result = wf_strdup(bw_buf_text(&out));
    bw_buf_fini(&out);
    end = strlen(result);
    while (end > 0 && (result[end - 1] == ' ' || result[end - 1] == '-'))
        result[--end] = '\0';
    return result;
}

static bool is_one_of(const char *text, const char *const *phrases)
{
    char *stripped = bare(text);
    bool found = false;

    for (; *phrases != NULL && !found; phrases++)
        found = strcmp(stripped, *phrases) == 0;
    free(stripped);
    return found;
}

static bool days_fit(int day, int month, int year)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Rule e; the date in `out` as DD.MM.YYYY. */
static bool read_date(const char *text, char out[16])
{
    int day, month, year, used = 0;
    time_t now = time(NULL);
    struct tm today;

    if (strspn(text, "0123456789./-") != strlen(text) ||
        sscanf(text, "%2d%*1[./-]%2d%*1[./-]%4d%n", &day, &month, &year, &used) != 3 ||
        text[used] != '\0' || year < 1000 || !days_fit(day, month, year))
        return false;
    if (gmtime_r(&now, &today) == NULL)
        return false;
    if (year > today.tm_year + 1900 || year < today.tm_year + 1900 - 120)
        return false;
    if (year == today.tm_year + 1900 &&
        (month > today.tm_mon + 1 || (month == today.tm_mon + 1 && day > today.tm_mday)))
        return false;
    (void)snprintf(out, 16, "%02d.%02d.%04d", day % 100, month % 100, year % 10000);
    return true;
}

/* Rule a: the digits, a leading `+` kept; NULL when there are fewer than seven. */
static char *read_phone(const char *text)
{
    struct bw_buf out = BW_BUF_INIT;
    size_t digits = 0;

    if (*text == '+')
        wf_check(bw_buf_add_char(&out, '+'));
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        wf_check(bw_buf_add_char(&out, *text));
        digits++;
    }
    if (digits >= 7)
        return bw_buf_take(&out);
    bw_buf_fini(&out);
    return NULL;
}

static bool has_space(const char *text)
{
    return strpbrk(text, " \t\r\n\v\f") != NULL;
}

/* `^[^\s@]+@[^\s@]+\.[^\s@]+$` (worker/workflow/spec/workflow.md §3.7.2 d) */
static bool is_email(const char *text)
{
    const char *at = strchr(text, '@');

    if (at == NULL || at == text || at[1] == '\0' || strchr(at + 1, '@') != NULL ||
        has_space(text))
        return false;
    for (const char *dot = at + 2; dot[0] != '\0' && dot[1] != '\0'; dot++) {
        if (*dot == '.')
            return true;
    }
    return false;
}

static char *lower(const char *text)
{
    char *copy = wf_strdup(text);

    for (char *at = copy; *at != '\0'; at++)
        *at = (char)((unsigned char)*at < 0x80 ? tolower((unsigned char)*at) : *at);
    return copy;
}

static char *trimmed(const char *text)
{
    char *copy;
    size_t len;

    text += strspn(text, " \t\r\n\v\f");
    copy = wf_strdup(text);
    len = strlen(copy);
    while (len > 0 && strchr(" \t\r\n\v\f", copy[len - 1]) != NULL)
        copy[--len] = '\0';
    return copy;
}

static void read_text(struct wf_meaning *meaning, const char *text,
                      enum wf_wait_type wait_type, const struct wf_settings *settings)
{
    static const char *const email_phrases[] = { "ввести email", "ввести e-mail",
                                                 "ввести емейл", "ввести почту", NULL };
    static const char *const skip_phrases[] = { "пропустить", "skip", NULL };
    char date[16];

    if (settings->accept_typed_phone && wait_type == WF_WAIT_CONTACT &&
        !read_date(text, date) && strchr(text, '@') == NULL)
        meaning->phone = read_phone(text);
    if (meaning->phone != NULL)
        return;
    if (is_one_of(text, email_phrases)) {
        meaning->verdict = WF_VERDICT_ASK_EMAIL;
    } else if (is_one_of(text, skip_phrases)) {
        meaning->text = wf_strdup("__SKIP__");
    } else if (strchr(text, '@') != NULL && strchr(text, '.') != NULL &&
               !has_space(text)) {
        if (is_email(text))
            meaning->email = lower(text);
        else
            meaning->verdict = WF_VERDICT_WRONG_EMAIL;
    } else if (read_date(text, date)) {
        meaning->text = wf_strdup(date);
    }
}

static void read_contact(struct wf_meaning *meaning, const struct wf_event *event,
                         const struct wf_settings *settings)
{
    const json_t *owner = json_object_get(event->contact, "user_id");
    char *id = json_is_integer(owner)
                   ? wf_printf("%lld", (long long)json_integer_value(owner))
                   : wf_strdup(json_string_value(owner));

    meaning->phone = wf_strdup(wf_member(event->contact, "phone_number", ""));
    meaning->verified =
        id != NULL && event->from_id != NULL && strcmp(id, event->from_id) == 0;
    if (settings->require_own_contact && id != NULL && !meaning->verified)
        meaning->verdict = WF_VERDICT_FOREIGN_CONTACT;
    free(id);
}

void wf_waits_read(struct wf_meaning *meaning, const struct wf_event *event,
                   enum wf_wait_type wait_type, const char *typed,
                   const struct wf_settings *settings)
{
    *meaning = (struct wf_meaning){ 0 };
    if (event->kind == WF_EVENT_CONTACT) {
        read_contact(meaning, event, settings);
    } else if (typed != NULL &&
               (wait_type == WF_WAIT_CONTACT || wait_type == WF_WAIT_INPUT)) {
        char *text = trimmed(typed);

        read_text(meaning, text, wait_type, settings);
        free(text);
    }
}

void wf_meaning_fini(struct wf_meaning *meaning)
{
    free(meaning->text);
    free(meaning->phone);
    free(meaning->email);
    *meaning = (struct wf_meaning){ 0 };
}
