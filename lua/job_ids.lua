--[[ job_ids: a part of the ids in one state, oldest or newest first. lib/spec/bullmq.md §7.4 getRanges,
BMQ-133

KEYS  1 base
ARGV  1 state: wait (or waiting), paused, active, or that of a sorted set
      2 first  3 last, from 0; -1: the last  4 '1': oldest first
Result  ids ]]
--- keys 1

local call = redis.call
local LISTS = { wait = 'wait', waiting = 'wait', paused = 'paused', active = 'active' }
local state, first, last, oldest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'

if not LISTS[state] then
    return call(oldest and 'ZRANGE' or 'ZREVRANGE', KEYS[1] .. state, first, last)
end
local key = KEYS[1] .. LISTS[state]
if not oldest then
    return call('LRANGE', key, first, last)
end
-- the oldest is the tail
local ids = call('LRANGE', key, last == -1 and 0 or -(last + 1), -(first + 1))
local turned = {}
for i = #ids, 1, -1 do
    turned[#turned + 1] = ids[i]
end
return turned
