--[[ count_jobs: how many jobs are in each of these states. lib/spec/bullmq.md §7.4 getCounts, BMQ-133

KEYS  1 base
ARGV  states: wait (or waiting), paused, active, delayed, prioritized, completed, failed, waiting-children
Result  a number each. A marker of lines before 5 at the tail of a list is dropped, not counted. ]]
--- keys 1

local call = redis.call
local LISTS = { wait = 'wait', waiting = 'wait', paused = 'paused', active = 'active' }

local function list_length(name)
    local key, dropped = KEYS[1] .. name, 0
    if name ~= 'active' then
        local tail = call('LINDEX', key, -1)
        if tail and tail:sub(1, 2) == '0:' then
            dropped = type(redis.pcall('RPOP', key)) == 'string' and 0 or 1 -- a reader may not be allowed to
        end
    end
    return call('LLEN', key) - dropped
end

local counts = {}
for i, state in ipairs(ARGV) do
    counts[i] = LISTS[state] and list_length(LISTS[state]) or call('ZCARD', KEYS[1] .. state)
end
return counts
