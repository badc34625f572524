--[[ pause: as 6.x: only `meta` says it; nothing moves. lib/spec/bullmq.md §7.3

KEYS  1 base
ARGV  -
Result  0 ]]
--- keys 1
--- include "queue"

local q = queue_at(KEYS[1])
return all_or_nothing(function()
    call('HSET', q.meta, 'paused', '1')
    call('DEL', q.marker)
    emit(q, 'paused')
    return 0
end)
