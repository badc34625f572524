--[[ resume: as 6.x: what 5.x left in `paused` is merged into `wait`, order kept, to run first.
lib/spec/bullmq.md §7.3, Appendix A.3, BMQ-126, BMQ-127

KEYS  1 base
ARGV  1 '1': tell of it; '0': a repeated call
Result  the number of ids still in `paused`: call again while it is not 0 ]]
--- keys 1
--- include "enqueue"

local MERGE_MAX = 7000
local q = queue_at(KEYS[1])

-- Returns how many are left to be merged.
local function merge_paused()
    if call('EXISTS', q.paused) == 0 then
        return 0
    end
    if call('EXISTS', q.wait) == 0 then
        call('RENAME', q.paused, q.wait)
        return 0
    end
    local ids = call('LRANGE', q.paused, 0, MERGE_MAX - 1)
    call('RPUSH', q.wait, unpack(ids))
    call('LTRIM', q.paused, #ids, -1)
    return call('LLEN', q.paused)
end

return all_or_nothing(function()
    call('HDEL', q.meta, 'paused')
    local left = merge_paused()
    if call('LLEN', q.wait) + call('ZCARD', q.prioritized) > 0 then
        call('ZADD', q.marker, 0, '0')
    else
        signal_delay(q)
    end
    if ARGV[1] == '1' then
        emit(q, 'resumed')
    end
    return left
end)
