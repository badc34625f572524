-- Counts a minute of finished jobs. lib/spec/bullmq.md §10.7
--- include "queue"

local ZERO_BATCH = 5000

-- `times` jobs finished at one instant: the same as counting them one by one.
local function count_metrics(key, points, times, now)
    local before = call('HINCRBY', key, 'count', times) - times
    local f = call('HMGET', key, 'prevTS', 'prevCount')
    local previous = tonumber(f[1])
    if not previous then
        call('HSET', key, 'prevTS', now, 'prevCount', 0)
        return
    end
    local minutes = math.min(math.floor(now / 60000) - math.floor(previous / 60000), points)
    if minutes <= 0 then
        return
    end
    local data = key .. ':data'
    call('LPUSH', data, before - (tonumber(f[2]) or 0))
    local zeros = minutes - 1
    while zeros > 0 do
        local row = {}
        for i = 1, math.min(zeros, ZERO_BATCH) do
            row[i] = '0'
        end
        call('LPUSH', data, unpack(row))
        zeros = zeros - #row
    end
    call('LTRIM', data, 0, points - 1)
    call('HSET', key, 'prevCount', before, 'prevTS', now)
end
