-- A finished child that runs again is waited for again. lib/spec/bullmq.md §8.6
--- include "queue"

local function relink(q, id, state)
    local job = q.base .. id
    local parent_key = call('HGET', job, 'parentKey')
    if not parent_key or call('EXISTS', parent_key) == 0 then
        return
    end
    local unlinked
    if state == 'failed' then
        unlinked = call('ZREM', parent_key .. ':unsuccessful', job) == 1 or
                   call('HDEL', parent_key .. ':failed', job) == 1
    else
        unlinked = call('HDEL', parent_key .. ':processed', job) == 1
    end
    if unlinked then
        call('SADD', parent_key .. ':dependencies', job)
    end
end

-- What its last run has left and the next one writes anew.
local function forget_outcome(job, state)
    call('HDEL', job, 'finishedOn', 'processedOn',
         state == 'failed' and 'failedReason' or 'returnvalue')
end
