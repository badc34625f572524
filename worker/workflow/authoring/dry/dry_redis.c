/* Redis in a dry run: the engine's stand-in for it, asked by the commands of kv.c. */
#include "workflow/authoring/dry/dry_redis.h"

#include <stdlib.h>
#include <string.h>

#include "workflow/authoring/dry/dry_later.h"
#include "workflow/base/mem.h"

#define FOR_EVER_MS 86400000

struct answer {
    wf_redis_done *done;
    void *arg;
    char *text;
    int64_t number;
    bool nil;
};

static void give(void *arg)
{
    struct answer *answer = arg;
    struct wf_reply reply = { .ok = true,
                              .nil = answer->nil,
                              .text = answer->text,
                              .len = answer->text != NULL ? strlen(answer->text) : 0,
                              .number = answer->number };

    answer->done(&reply, answer->arg);
    free(answer->text);
    free(answer);
}

static bool is(const struct bw_redis_arg *arg, const char *word)
{
    return arg->len == strlen(word) && memcmp(arg->data, word, arg->len) == 0;
}

static bool has(const struct bw_redis_arg *arg, const char *part)
{
    return memmem(arg->data, arg->len, part, strlen(part)) != NULL;
}

/* SET key value [NX] PX ms, the last two in either order */
static void set(struct wf_memory *memory, const struct bw_redis_arg *args, size_t count,
                struct answer *answer)
{
    char *key = wf_printf("%.*s", (int)args[1].len, (const char *)args[1].data);
    char *value = wf_printf("%.*s", (int)args[2].len, (const char *)args[2].data);
    int64_t ttl = FOR_EVER_MS;
    bool only_new = false;

    for (size_t i = 3; i < count; i++) {
        if (is(&args[i], "NX"))
            only_new = true;
        else if (is(&args[i], "PX") && i + 1 < count)
            ttl = strtoll((const char *)args[i + 1].data, NULL, 10);
    }
    if (only_new)
        answer->nil = !wf_memory_set_new(memory, key, value, ttl);
    else
        wf_memory_set(memory, key, value, ttl);
    free(key);
    free(value);
}

/* The scripts of kv.c; those of quotas let everything through. */
static void eval(struct wf_memory *memory, const struct bw_redis_arg *args, size_t count,
                 struct answer *answer)
{
    char *key, *value;

    if (count < 5) {
        answer->nil = true; /* the digest of a key nobody writes */
        return;
    }
    key = wf_printf("%.*s", (int)args[3].len, (const char *)args[3].data);
    value = wf_printf("%.*s", (int)args[4].len, (const char *)args[4].data);
    if (has(&args[1], "pexpire', KEYS[1], ARGV[2]"))
        answer->number = wf_memory_extend_if(memory, key, value, FOR_EVER_MS);
    else if (has(&args[1], "return redis.call('del', KEYS[1])"))
        answer->number = wf_memory_delete_if(memory, key, value);
    free(key);
    free(value);
}

static void of_key(struct wf_memory *memory, const struct bw_redis_arg *args,
                   struct answer *answer)
{
    char *key = wf_printf("%.*s", (int)args[1].len, (const char *)args[1].data);

    if (is(&args[0], "GET")) {
        answer->text = wf_memory_get(memory, key);
        answer->nil = answer->text == NULL;
    } else if (is(&args[0], "INCR")) {
        answer->number = wf_memory_count(memory, key, FOR_EVER_MS);
    } else if (is(&args[0], "DEL")) {
        wf_memory_delete(memory, key);
    } else if (is(&args[0], "EXISTS")) {
        answer->text = wf_memory_get(memory, key);
        answer->number = answer->text != NULL;
    }
    free(key);
}

static bool redis(void *arg, const struct bw_redis_arg *args, size_t count,
                  wf_redis_done *done, void *done_arg)
{
    struct wf_dry *dry = arg;
    struct answer *answer = wf_alloc(sizeof(*answer));

    answer->done = done;
    answer->arg = done_arg;
    if (is(&args[0], "SET"))
        set(dry->redis, args, count, answer);
    else if (is(&args[0], "EVAL"))
        eval(dry->redis, args, count, answer);
    else
        of_key(dry->redis, args, answer);
    dry_later(dry, give, answer, 0);
    return true;
}

void dry_redis_effects(struct wf_effects *effects)
{
    effects->redis = redis;
}
