--[[ check_stalled: gives jobs back whose lock ran out since the last check, and marks what is active now.
Spec §6.3

KEYS  all keys of the queue (includes/keys.lua)
ARGV  1 now (ms)  2 stalled interval (ms)  3 max stalled count
Result  the ids recovered ]]
--- keys 20
--- include "keys"
--- include "enqueue"

local now = ARGV[1]
local interval = ARGV[2]
local max_stalled = tonumber(ARGV[3])
local REASON = 'job stalled more than allowable limit'
local BATCH = 7000

-- Iterations of a living scheduler are never failed by stalling.
local function is_scheduled(job)
    local key = call('HGET', job, 'rjk')
    if not key then
        return false
    end
    return call('EXISTS', BASE .. 'repeat:' .. key) == 1 or call('ZSCORE', REPEAT, key)
end

-- True when the job went back to `wait`.
local function recover(q, id)
    local job = BASE .. id
    if id:sub(1, 2) == '0:' then -- a marker of a pre-5 library
        call('LREM', ACTIVE, 1, id)
        return false
    end
    if call('EXISTS', job .. ':lock') == 1 or call('LREM', ACTIVE, 1, id) == 0 then
        return false
    end
    if call('EXISTS', job) == 0 then -- a ghost: there is nothing to give back (§4.2)
        return false
    end
    local count = call('HINCRBY', job, 'stc', 1)
    if count > max_stalled and not is_scheduled(job) then
        call('HSET', job, 'defa', REASON)
    end
    to_wait(q, id, 'RPUSH')
    emit(q, 'waiting', 'jobId', id, 'prev', 'active')
    emit(q, 'stalled', 'jobId', id)
    return true
end

if call('EXISTS', STALLED_CHECK) == 1 then
    return {}
end
call('SET', STALLED_CHECK, now, 'PX', interval)

local q = queue_at(BASE)
trim_events(q)

local recovered = {}
local marked = call('SMEMBERS', STALLED)
if #marked > 0 then
    call('DEL', STALLED)
    for _, id in ipairs(marked) do
        if recover(q, id) then
            recovered[#recovered + 1] = id
        end
    end
end

local active = call('LRANGE', ACTIVE, 0, -1)
for first = 1, #active, BATCH do
    call('SADD', STALLED, unpack(active, first, math.min(first + BATCH - 1, #active)))
end
return recovered
