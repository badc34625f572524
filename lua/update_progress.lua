--[[ update_progress: stores a job's progress and tells of it. lib/spec/bullmq.md §7.1

KEYS  1 base
ARGV  1 id  2 progress (JSON)
Result  0, -1 job missing ]]
--- keys 1
--- include "queue"

local q = queue_at(KEYS[1])
local id, progress = ARGV[1], ARGV[2]
local job = q.base .. id
return all_or_nothing(function()
    if call('EXISTS', job) == 0 then
        return -1
    end
    max_events(q)
    call('HSET', job, 'progress', progress)
    emit_trimmed(q, 'progress', 'jobId', id, 'data', progress)
    return 0
end)
