--[[ limit_ttl: for how long the queue's rate limit lasts. lib/spec/bullmq.md §7.4 getRateLimitTtl, BMQ-134

KEYS  1 base
ARGV  1 jobs a window, or '': as `meta` says
Result  ms; ≤ 0: not limited. Without any number of jobs: what is left of the window, -2 for none ]]
--- keys 1
--- include "limiter"

local q = queue_at(KEYS[1])
local max = ARGV[1] ~= '' and ARGV[1] or call('HGET', q.meta, 'max')
if not max then
    return call('PTTL', q.limiter)
end
local _, ttl = limiter_room(q.limiter, tonumber(max), 1)
return ttl
