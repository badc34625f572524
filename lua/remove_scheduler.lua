--[[ remove_scheduler: ends a job scheduler. Its iteration goes while it is delayed; one that waits or runs is
left. lib/spec/bullmq.md §9.4

KEYS  1 base
ARGV  1 scheduler id
Result  0, or 1: there is no such scheduler ]]
--- keys 1
--- include "queue"
--- include "remove"

local q = queue_at(KEYS[1])
local sid = ARGV[1]
return all_or_nothing(function()
    local at = call('ZSCORE', q['repeat'], sid)
    if at then
        local id = 'repeat:' .. sid .. ':' .. string.format('%.0f', tonumber(at))
        if call('ZREM', q.delayed, id) == 1 then
            delete_jobs(q.base, { id })
            emit(q, 'removed', 'jobId', id, 'prev', 'delayed')
        end
    end
    if call('ZREM', q['repeat'], sid) == 0 then
        return 1
    end
    call('DEL', q['repeat'] .. ':' .. sid)
    return 0
end)
