--[[ extend_locks: renews the locks of many jobs. lib/spec/bullmq.md §6.1

KEYS  1 base  2 stalled
ARGV  1 lock duration (ms), then id, token of each job
Result  the ids whose lock is missing or another's; an error: a lock could not be renewed, but the others
        were ]]
--- keys 2

local call = redis.call
local base, stalled = KEYS[1], KEYS[2]
local duration = ARGV[1]
local BATCH = 1000 -- unpack() ends near 8000 values

local failed, refusal = {}, nil
for first = 2, #ARGV, 2 * BATCH do
    local last = math.min(first + 2 * BATCH - 1, #ARGV)
    local keys, held = {}, {}
    for i = first, last, 2 do
        keys[#keys + 1] = base .. ARGV[i] .. ':lock'
    end
    local locks = call('MGET', unpack(keys))
    for n, lock in ipairs(locks) do
        local id, token = ARGV[first + 2 * n - 2], ARGV[first + 2 * n - 1]
        if lock == token then
            local reply = redis.pcall('SET', keys[n], token, 'PX', duration)
            if reply.err then
                refusal = reply
            else
                held[#held + 1] = id
            end
        else
            failed[#failed + 1] = id
        end
    end
    if #held > 0 then
        redis.pcall('SREM', stalled, unpack(held)) -- marks: a lock counts for more
    end
end
return refusal or failed
