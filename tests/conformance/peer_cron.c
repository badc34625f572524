/* Our side of cron.mjs: a line "<zone>\t<ms>\t<pattern>\t<key>" in, the next three
 * instants in ms out, or "error <text>". */
#include <bulwark/cron.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_LEN = 4096, NEXT_COUNT = 3 };

static void answer(const char *zone, int64_t at, const char *pattern, const char *key)
{
    struct bw_cron *cron;
    struct bw_error err;

    if (bw_cron_parse_for(&cron, pattern, *zone != '\0' ? zone : NULL, key, &err) !=
        BW_OK) {
        (void)printf("error %s\n", err.text);
        return;
    }
    for (int i = 0; i < NEXT_COUNT; i++) {
        if (bw_cron_next(cron, at, &at, &err) != BW_OK) {
            (void)printf("%serror %s", i > 0 ? " " : "", err.text);
            break;
        }
        (void)printf("%s%" PRId64, i > 0 ? " " : "", at);
    }
    (void)printf("\n");
    bw_cron_destroy(&cron);
}

int main(void)
{
    char line[LINE_MAX_LEN];

    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* or the other side waits for ever */
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *rest = line;
        const char *zone = strsep(&rest, "\t"), *at = strsep(&rest, "\t");
        const char *pattern = strsep(&rest, "\t"), *key = strsep(&rest, "\n");

        if (key == NULL) {
            (void)fprintf(stderr, "a line is \"zone\\tms\\tpattern\\tkey\"\n");
            return 2;
        }
        answer(zone, strtoll(at, NULL, 10), pattern, key);
    }
    return 0;
}
