--[[ add_log: appends a row to a job's log. lib/spec/bullmq.md §7.1

KEYS  1 base
ARGV  1 id  2 row  3 rows kept, 0: all
Result  the number of rows, -1 job missing ]]
--- keys 1
--- include "journal"

local job = KEYS[1] .. ARGV[1]
local keep = tonumber(ARGV[3])
if redis.call('EXISTS', job) == 0 then
    return -1
end
return all_or_nothing(function()
    local rows = call('RPUSH', job .. ':logs', ARGV[2])
    if keep > 0 then
        call('LTRIM', job .. ':logs', -keep, -1)
        rows = math.min(rows, keep)
    end
    return rows
end)
