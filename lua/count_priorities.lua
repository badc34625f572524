--[[ count_priorities: how many jobs wait with each of these priorities. lib/spec/bullmq.md §7.4, BMQ-133

KEYS  1 base
ARGV  1 '5': as BullMQ 5.x, which counts in `paused` while paused; '6': as 6.x  2… priorities
Result  a number each ]]
--- keys 1

local call = redis.call
local base = KEYS[1]
local SPAN = 4294967296

local function plain()
    local paused = ARGV[1] == '5' and call('HEXISTS', base .. 'meta', 'paused') == 1
    return call('LLEN', base .. (paused and 'paused' or 'wait'))
end

local counts = {}
for i = 2, #ARGV do
    local priority = tonumber(ARGV[i])
    counts[i - 1] = priority == 0 and plain() or
        call('ZCOUNT', base .. 'prioritized', priority * SPAN, (priority + 1) * SPAN - 1)
end
return counts
