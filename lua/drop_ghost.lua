--[[ drop_ghost: forgets an id in `active` that has no job, and the stub of one that was left behind. A hash
with a name is a job and stays. lib/spec/bullmq.md §4.2, BMQ-065

KEYS  1 base  2 active  3 stalled
ARGV  1 id
Result  1 dropped, 0 it is a job ]]
--- keys 3
--- include "journal"

local base, active, stalled = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]
local job = base .. id
local kind = redis.call('TYPE', job).ok
if kind == 'hash' and redis.call('HEXISTS', job, 'name') == 1 then
    return 0
end
return all_or_nothing(function()
    call('LREM', active, 0, id)
    call('SREM', stalled, id)
    call('DEL', job .. ':lock')
    if kind == 'hash' then -- a stub holds what a fetch wrote and no more
        call('HDEL', job, 'processedOn', 'ats', 'pb')
    end
    return 1
end)
