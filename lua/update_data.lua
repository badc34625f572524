--[[ update_data: replaces a job's data. No event. lib/spec/bullmq.md §7.1

KEYS  1 base
ARGV  1 id  2 data (JSON)
Result  0, -1 job missing ]]
--- keys 1

local job = KEYS[1] .. ARGV[1]
if redis.call('EXISTS', job) == 0 then
    return -1
end
redis.call('HSET', job, 'data', ARGV[2])
return 0
