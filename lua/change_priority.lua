--[[ change_priority: moves a waiting job to where its new priority puts it; in any other state only its hash
changes. lib/spec/bullmq.md §7.1, BMQ-118

KEYS  1 base
ARGV  1 id  2 priority  3 '1': before the others of its kind
Result  0; -1 job missing ]]
--- keys 1
--- include "enqueue"

local q = queue_at(KEYS[1])
local id, priority, first = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local job = q.base .. id

-- `paused` is where 5.x keeps what waits while paused.
local function leave_line()
    return call('ZREM', q.prioritized, id) == 1 or call('LREM', q.wait, -1, id) > 0 or
           call('LREM', q.paused, -1, id) > 0
end

return all_or_nothing(function()
    if call('EXISTS', job) == 0 then
        return -1
    end
    if leave_line() then
        if priority == 0 then
            to_wait(q, id, first and 'RPUSH' or 'LPUSH')
        elseif first then
            to_prioritized_front(q, id, priority)
        else
            to_prioritized(q, id, priority)
        end
    end
    call('HSET', job, 'priority', ARGV[2])
    return 0
end)
