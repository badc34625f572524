--[[ reprocess: a failed or completed job runs again. lib/spec/bullmq.md §7.1, BMQ-120, BMQ-121

KEYS  1 base
ARGV  1 id  2 failed or completed  3 '1': reset the attempts made  4 '1': reset the attempts started
      5 '5': as BullMQ 5.x, which puts every job into `wait`; '6': as 6.x
Result  1; -1 job missing, -3 not in that state ]]
--- keys 1
--- include "parent"
--- include "relink"

local MISSING, OTHER_STATE = -1, -3
local q = queue_at(KEYS[1])
local id, state = ARGV[1], ARGV[2]
local job = q.base .. id

return all_or_nothing(function()
    if call('EXISTS', job) == 0 then
        return MISSING
    end
    if call('ZREM', q[state], id) == 0 then
        return OTHER_STATE
    end
    forget_outcome(job, state)
    if ARGV[3] == '1' then
        call('HDEL', job, 'atm')
    end
    if ARGV[4] == '1' then
        call('HDEL', job, 'ats')
    end
    local f = call('HMGET', job, 'priority', 'opts')
    local priority = number_or_zero(f[1])
    if priority == 0 or ARGV[5] == '5' then
        local opts = decode_object(f[2]) or {}
        to_wait(q, id, opts.lifo == true and 'RPUSH' or 'LPUSH')
    else
        to_prioritized(q, id, priority)
    end
    relink(q, id, state)
    emit_trimmed(q, 'waiting', 'jobId', id, 'prev', state)
    return 1
end)
