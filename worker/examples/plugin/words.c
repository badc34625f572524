/* A plugin for bulwark: counts the words of a job's text.
 *
 * Job data: {"text": "…"}. Returns {"words": n, "longest": "…"}. Configuration:
 * {"least": n}: a text of fewer words is an error that no retry can cure. */
#include <stdlib.h>
#include <string.h>

#include <bulwark/plugin.h>
#include <jansson.h>

struct words { /* one a queue */
    long long least;
};

static int words_init(const char *config, const struct bw_plugin_host *host,
                      void **instance, struct bw_error *err)
{
    json_t *settings = json_loads(config, JSON_DECODE_ANY, NULL);
    struct words *words;
    json_int_t least = 0;

    if (json_unpack(settings, "{s?I!}", "least", &least) != 0) {
        json_decref(settings);
        return bw_error_set(err, BW_EINVAL, "config: must be {\"least\": number}");
    }
    json_decref(settings);
    words = malloc(sizeof *words);
    if (words == NULL)
        return bw_error_set(err, BW_ENOMEM, "out of memory");
    words->least = least;
    bw_log(host->log, BW_LOG_INFO, "counting words", bw_num("least", least));
    *instance = words;
    return BW_OK;
}

/* The words of `text`; the longest is left in `longest`. */
static long long count(const char *text, const char **longest, size_t *longest_len)
{
    static const char space[] = " \t\r\n";
    long long words = 0;

    *longest_len = 0;
    for (*longest = text; *(text += strspn(text, space)) != '\0'; words++) {
        size_t len = strcspn(text, space);

        if (len > *longest_len) {
            *longest = text;
            *longest_len = len;
        }
        text += len;
    }
    return words;
}

static void fail(struct bw_job *job, const char *message, bool unrecoverable)
{
    const struct bw_job_failure failure = { .message = message,
                                            .unrecoverable = unrecoverable };

    bw_job_fail(job, &failure);
}

static void answer(struct bw_job *job, const struct words *words, const char *text)
{
    const char *longest;
    size_t longest_len;
    long long found = count(text, &longest, &longest_len);
    json_t *result;
    char *json;

    if (found < words->least) {
        fail(job, "too few words", true);
        return;
    }
    result = json_pack("{s:I, s:s%}", "words", (json_int_t)found, "longest", longest,
                       longest_len);
    json = json_dumps(result, JSON_COMPACT);
    if (json == NULL)
        fail(job, "out of memory", false);
    else
        bw_job_complete(job, json, strlen(json));
    free(json);
    json_decref(result);
}

static void words_process(struct bw_job *job, void *instance)
{
    size_t len;
    const char *text = bw_job_data(job, &len);
    json_t *data = json_loadb(text, len, 0, NULL);

    if (json_unpack(data, "{s:s}", "text", &text) != 0)
        fail(job, "data: must be {\"text\": \"…\"}", true);
    else if (bw_job_add_log(job, "counting", 8) != BW_OK ||
             bw_job_update_progress(job, "50", 2) != BW_OK)
        fail(job, "out of memory", false);
    else
        answer(job, instance, text);
    json_decref(data);
}

static void words_fini(void *instance)
{
    free(instance);
}

const struct bw_plugin *bulwark_plugin_entry(void)
{
    static const struct bw_plugin plugin = {
        .abi = BW_PLUGIN_ABI,
        .size = sizeof plugin,
        .name = "words",
        .version = "1.0",
        .init = words_init,
        .process = words_process,
        .fini = words_fini,
    };

    return &plugin;
}
