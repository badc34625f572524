--[[ job_state: in which state a job is: the first that holds its id. lib/spec/bullmq.md §7.1, getState

KEYS  1 base
ARGV  1 id
Result  completed, failed, delayed, prioritized, active, waiting, waiting-children or unknown ]]
--- keys 1

local call = redis.call
local base, id = KEYS[1], ARGV[1]

for _, state in ipairs({ 'completed', 'failed', 'delayed', 'prioritized' }) do
    if call('ZSCORE', base .. state, id) then
        return state
    end
end
if call('LPOS', base .. 'active', id) then
    return 'active'
end
if call('LPOS', base .. 'wait', id) or call('LPOS', base .. 'paused', id) then
    return 'waiting'
end
return call('ZSCORE', base .. 'waiting-children', id) and 'waiting-children' or 'unknown'
