--[[ change_delay: a delayed job becomes due so long from now. lib/spec/bullmq.md §7.1

KEYS  1 base
ARGV  1 id  2 now (ms)  3 delay (ms)
Result  0; -1 job missing, -3 not delayed ]]
--- keys 1
--- include "enqueue"

local MISSING, NOT_DELAYED = -1, -3
local q = queue_at(KEYS[1])
local id, now, delay = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local job = q.base .. id

return all_or_nothing(function()
    if call('EXISTS', job) == 0 then
        return MISSING
    end
    local score, at = delayed_score(q, now, delay) -- the job itself still counts
    if call('ZREM', q.delayed, id) == 0 then
        return NOT_DELAYED
    end
    call('HSET', job, 'delay', ARGV[3])
    call('ZADD', q.delayed, score, id)
    emit_trimmed(q, 'delayed', 'jobId', id, 'delay', at)
    signal_delay(q)
    return 0
end)
