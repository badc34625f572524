#include "workflow/engine/quotas.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workflow/base/mem.h"
#include "workflow/engine/memory.h"

#define LEASE_MS "5000" /* longer than a message is on its way, shorter than patience */
#define POLL_MS  100    /* the memory does not say how long a key lives on */

/* KEYS  pause, counter, waiting, then a sorted set for each quota: the holders, by the
 *       time (ms) from which they are not counted any more
 * ARGV  holder, lease, then limit and window (ms) of each quota
 *
 * Times are rounded so that no window is too short. Those who wait for the first quota
 * wake up one by one, each when another place is free, not all of them for the first. */
/* clang-format off */
#define SCRIPT_NOW \
    "local t = redis.call('TIME') " \
    "local now, lease = t[1] * 1000 + math.floor(t[2] / 1000), tonumber(ARGV[2]) " \
    "local function quota(i) " \
    "  return KEYS[i + 3], tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2]) end " \
    "local function place(i, left) " \
    "  local key, limit, ms = quota(i) " \
    "  redis.call('ZADD', key, now + 1 + left + ms, ARGV[1]) " \
    "  redis.call('PEXPIRE', key, lease + ms + 1000) end "

static const char script_enter[] = SCRIPT_NOW
    "local wait = math.max(0, redis.call('PTTL', KEYS[1])) "
    "for i = 1, #KEYS - 3 do "
    "  local key, limit, ms = quota(i) "
    "  redis.call('ZREMRANGEBYSCORE', key, '-inf', now) "
    "  redis.call('ZREMRANGEBYSCORE', key, '(' .. now + 1 + lease + ms, '+inf') " /* of a
                                                             clock that was put back */
    "  local taken = redis.call('ZCARD', key) "
    "  if taken >= limit and not redis.call('ZSCORE', key, ARGV[1]) then "
    "    local at = taken - limit "
    "    if i == 1 then "
    "      at = at + (redis.call('INCR', KEYS[3]) - 1) % limit "
    "      redis.call('PEXPIRE', KEYS[3], ms) end "
    "    local free = redis.call('ZRANGE', key, at, at, 'WITHSCORES')[2] - now "
    "    wait = math.max(wait, math.min(free, ms)) end end "
    "if wait > 0 then return wait end "
    "for i = 1, #KEYS - 3 do place(i, lease) end "
    "if redis.call('INCR', KEYS[2]) == 1 then redis.call('PEXPIRE', KEYS[2], 60000) end "
    "redis.call('DEL', KEYS[3]) "
    "return 0";

static const char script_leave[] = SCRIPT_NOW
    "for i = 1, #KEYS - 3 do place(i, 0) end return 0";
/* clang-format on */

struct wf_quotas *wf_quotas_create(char *pause, char *counter, char *waiting,
                                   const char *holder)
{
    struct wf_quotas *quotas = wf_alloc(sizeof(*quotas));

    quotas->pause = pause;
    quotas->counter = counter;
    quotas->waiting = waiting;
    (void)snprintf(quotas->holder, sizeof(quotas->holder), "%s", holder);
    return quotas;
}

void wf_quotas_add(struct wf_quotas *quotas, char *key, int64_t limit, int64_t window_ms)
{
    struct wf_quota *quota = &quotas->at[quotas->count++];

    assert(quotas->count <= WF_QUOTAS_MAX);
    quota->key = key;
    quota->limit = limit;
    quota->window_ms = window_ms;
    (void)snprintf(quota->texts[0], sizeof(quota->texts[0]), "%lld", (long long)limit);
    (void)snprintf(quota->texts[1], sizeof(quota->texts[1]), "%lld",
                   (long long)window_ms);
}

void wf_quotas_destroy(struct wf_quotas **quotasp)
{
    struct wf_quotas *quotas = *quotasp;

    if (quotas == NULL)
        return;
    *quotasp = NULL;
    free(quotas->pause);
    free(quotas->counter);
    free(quotas->waiting);
    for (size_t i = 0; i < quotas->count; i++)
        free(quotas->at[i].key);
    free(quotas);
}

static size_t command(const struct wf_quotas *quotas, const char *script,
                      struct bw_redis_arg args[WF_QUOTA_ARGS])
{
    static const char *const numbers[] = { "3", "4", "5", "6" };
    const char *texts[WF_QUOTA_ARGS] = {
        "EVAL",        script,          numbers[quotas->count],
        quotas->pause, quotas->counter, quotas->waiting
    };
    size_t n = 6;

    for (size_t i = 0; i < quotas->count; i++)
        texts[n++] = quotas->at[i].key;
    texts[n++] = quotas->holder;
    texts[n++] = LEASE_MS;
    for (size_t i = 0; i < quotas->count; i++) {
        texts[n++] = quotas->at[i].texts[0];
        texts[n++] = quotas->at[i].texts[1];
    }
    for (size_t i = 0; i < n; i++)
        args[i] = (struct bw_redis_arg){ texts[i], strlen(texts[i]) };
    return n;
}

size_t wf_quotas_enter(const struct wf_quotas *quotas,
                       struct bw_redis_arg args[WF_QUOTA_ARGS])
{
    return command(quotas, script_enter, args);
}

size_t wf_quotas_leave(const struct wf_quotas *quotas,
                       struct bw_redis_arg args[WF_QUOTA_ARGS])
{
    return command(quotas, script_leave, args);
}

static bool has(struct wf_memory *memory, const char *key, int64_t least)
{
    char *text = wf_memory_get(memory, key);
    bool enough = text != NULL && strtoll(text, NULL, 10) >= least;

    free(text);
    return enough;
}

int64_t wf_quotas_enter_memory(const struct wf_quotas *quotas, struct wf_memory *memory)
{
    if (has(memory, quotas->pause, 0))
        return POLL_MS;
    for (size_t i = 0; i < quotas->count; i++) {
        if (has(memory, quotas->at[i].key, (quotas->at[i].limit + 1) / 2))
            return POLL_MS;
    }
    /* two that enter at once may both be let in: the limits are a guess by now anyway */
    for (size_t i = 0; i < quotas->count; i++)
        (void)wf_memory_count(memory, quotas->at[i].key, quotas->at[i].window_ms);
    return 0;
}

void wf_quotas_leave_memory(const struct wf_quotas *quotas, struct wf_memory *memory)
{
    for (size_t i = 0; i < quotas->count; i++) {
        if (quotas->at[i].limit == 1)
            wf_memory_set(memory, quotas->at[i].key, "1", quotas->at[i].window_ms);
    }
}
