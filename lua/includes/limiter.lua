-- The rate limit of a queue. lib/spec/bullmq.md §§4.2, 4.4, 10.1
--- include "queue"

-- How many jobs it lets through now, and for how long (ms) it lets none.
local function limiter_room(key, max, wanted)
    local value = call('GET', key)
    local started = tonumber(value or 0)
    if not started then
        error('ERR the rate limit of the queue is no number: ' .. key, 0)
    end
    if started < max then
        return math.min(wanted, math.ceil(max - started)), 0
    end
    local ttl = call('PTTL', key)
    if ttl > 0 then
        return 0, ttl
    end
    if ttl == 0 then
        call('DEL', key)
    end
    return 1, 0
end

local function count_started(key, started, duration)
    if started > 0 and call('INCRBY', key, started) == started then
        call('PEXPIRE', key, math.floor(math.abs(duration)))
    end
end
