--[[ dependencies: a job's children, by what became of them. lib/spec/bullmq.md §7.1

KEYS  1 base
ARGV  1 id  2 'counts' or 'all'
Result  { processed, unprocessed, ignored, failed }: how many of each; or their keys, of the processed ones
        with their values and of the ignored ones with their reasons, flat ]]
--- keys 1

local call = redis.call
local job = KEYS[1] .. ARGV[1]
local processed, unprocessed = job .. ':processed', job .. ':dependencies'
local ignored, failed = job .. ':failed', job .. ':unsuccessful'

if ARGV[2] == 'counts' then
    return {
        call('HLEN', processed), call('SCARD', unprocessed), call('HLEN', ignored),
        call('ZCARD', failed)
    }
end
return {
    call('HGETALL', processed), call('SMEMBERS', unprocessed), call('HGETALL', ignored),
    call('ZRANGE', failed, 0, -1)
}
