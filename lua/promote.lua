--[[ promote: a delayed job waits to be taken from now on. lib/spec/bullmq.md §7.1, BMQ-119. An id without a
job is dropped, unless strict: then it is put into line as it is, to run as a nameless job (A.4, 6).

KEYS  1 base
ARGV  1 id  2 '1': strict
Result  0; -1 job missing, -3 not delayed ]]
--- keys 1
--- include "enqueue"

local MISSING, NOT_DELAYED = -1, -3
local q = queue_at(KEYS[1])
local id = ARGV[1]
local job = q.base .. id

return all_or_nothing(function()
    if call('ZREM', q.delayed, id) == 0 then
        return NOT_DELAYED
    end
    if ARGV[2] ~= '1' and call('EXISTS', job) == 0 then
        return MISSING
    end
    local priority = number_or_zero(call('HGET', job, 'priority'))
    if priority == 0 then
        local list = push_list(q)
        local head = call('LINDEX', list, 0)
        if head and head:sub(1, 2) == '0:' then -- a marker of lines before 5
            call('LPOP', list)
        end
        to_wait(q, id, 'LPUSH')
    else
        to_prioritized(q, id, priority)
    end
    emit(q, 'waiting', 'jobId', id, 'prev', 'delayed')
    call('HSET', job, 'delay', '0')
    return 0
end)
