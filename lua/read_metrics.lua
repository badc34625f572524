--[[ read_metrics: what a queue has counted. lib/spec/bullmq.md §7.4 getMetrics, §10.7

KEYS  1 base
ARGV  1 completed or failed  2 first minute  3 last, from 0, the newest; -1: the last
Result  count, time of the last point, count at it (nil: none), the points, how many there are ]]
--- keys 1

local key = KEYS[1] .. 'metrics:' .. ARGV[1]
local meta = redis.call('HMGET', key, 'count', 'prevTS', 'prevCount')
return {
    meta[1], meta[2], meta[3], redis.call('LRANGE', key .. ':data', ARGV[2], ARGV[3]),
    redis.call('LLEN', key .. ':data')
}
