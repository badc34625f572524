--[[ obliterate: removes a paused queue, a piece a call. lib/spec/bullmq.md §7.3, BMQ-132. `limiter` and
what waits for children stay, as BullMQ leaves them.

KEYS  1 base
ARGV  1 jobs and schedulers at most  2 '1': those that run too
Result  1 there is more, 0 done; -1 not paused, -2 there are jobs that run ]]
--- keys 1
--- include "remove_job"

local NOT_PAUSED, RUNNING = -1, -2
local q = queue_at(KEYS[1])
local budget, force = tonumber(ARGV[1]), ARGV[2] == '1'

local function list_stage(name)
    local ids = call('LRANGE', q[name], 0, budget - 1)
    if name == 'active' then
        for _, id in ipairs(ids) do
            call('DEL', q.base .. id .. ':lock')
        end
    end
    remove_jobs_hard(q, ids)
    if #ids > 0 then
        call('LTRIM', q[name], #ids, -1)
    end
    budget = budget - #ids
end

local function zset_stage(name)
    local ids = call('ZRANGE', q[name], 0, budget - 1)
    remove_jobs_hard(q, ids)
    if #ids > 0 then
        call('ZREMRANGEBYRANK', q[name], 0, #ids - 1)
    end
    budget = budget - #ids
end

local function scheduler_stage()
    local ids = call('ZRANGE', q['repeat'], 0, budget - 1)
    for _, id in ipairs(ids) do
        call('DEL', q['repeat'] .. ':' .. id)
        call('ZREM', q['repeat'], id)
    end
    budget = budget - #ids
end

local STAGES = {
    { list_stage, 'active' }, { zset_stage, 'delayed' }, { scheduler_stage, 'repeat' },
    { zset_stage, 'completed' }, { list_stage, 'wait' }, { list_stage, 'paused' },
    { zset_stage, 'prioritized' }, { zset_stage, 'failed' }
}
local LAST = {
    'events', 'delay', 'stalled-check', 'stalled', 'id', 'pc', 'marker', 'meta', 'metrics:completed',
    'metrics:completed:data', 'metrics:failed', 'metrics:failed:data'
}

return all_or_nothing(function()
    if not meta_of(q).paused then
        return NOT_PAUSED
    end
    if not force and call('LLEN', q.active) > 0 then
        return RUNNING
    end
    for _, stage in ipairs(STAGES) do
        stage[1](stage[2])
        if budget <= 0 then
            return 1
        end
    end
    for _, suffix in ipairs(LAST) do
        call('DEL', q[suffix])
    end
    return 0
end)
