#define PCRE2_CODE_UNIT_WIDTH 8
#include "telegram/grapheme.h"

#include <pthread.h>

#include <pcre2.h>

#include <bulwark/thread.h>

static pcre2_code *cluster; /* for as long as the program runs */

/* PCRE2 has Unicode's tables. */
static void compile(void)
{
    int error;
    PCRE2_SIZE at;

    cluster = pcre2_compile((PCRE2_SPTR) "\\X", PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_ANCHORED | PCRE2_MATCH_INVALID_UTF, &error,
                            &at, NULL);
}

int tg_graphemes(const char *text, size_t len, bool *starts)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pcre2_match_data *found;
    size_t at = 0;

    bw_thread_check(pthread_once(&once, compile), "pthread_once");
    found = cluster != NULL ? pcre2_match_data_create(1, NULL) : NULL;
    if (found == NULL)
        return BW_ENOMEM;
    while (at < len) {
        size_t end = at;

        starts[at] = true;
        if (pcre2_match(cluster, (PCRE2_SPTR)text, len, at, 0, found, NULL) > 0)
            end = pcre2_get_ovector_pointer(found)[1];
        at = end > at ? end : at + 1;
    }
    pcre2_match_data_free(found);
    return BW_OK;
}
