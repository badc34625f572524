--[[ check_stalled: gives jobs back whose lock ran out since the last check, and marks what is active now.
lib/spec/bullmq.md §6.3

KEYS  1 base
ARGV  1 now (ms)  2 stalled interval (ms)  3 max stalled count  4 layout while paused: 5, 6, 0: found out
Result  the ids recovered; the last may be an error: why one was not ]]
--- keys 1
--- include "enqueue"

local q = queue_at(KEYS[1])
local now = ARGV[1]
local interval = ARGV[2]
local max_stalled = tonumber(ARGV[3])
pause_layout = ARGV[4]
local REASON = 'job stalled more than allowable limit'
local BATCH = 7000

-- Iterations of a living scheduler are never failed by stalling.
local function is_scheduled(job)
    local key = call('HGET', job, 'rjk')
    if not key then
        return false
    end
    return call('EXISTS', q.base .. 'repeat:' .. key) == 1 or call('ZSCORE', q['repeat'], key)
end

-- True when the job went back to `wait`.
local function recover(id)
    local job = q.base .. id
    if id:sub(1, 2) == '0:' then -- a marker of a pre-5 library
        call('LREM', q.active, 1, id)
        return false
    end
    if call('EXISTS', job .. ':lock') == 1 or call('LREM', q.active, 1, id) == 0 then
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

-- A job that cannot be given back stays in `active`, and is met again by the next check.
local function recover_all(marked)
    local recovered, trouble = {}, nil
    for _, id in ipairs(marked) do
        local fine, result = attempt(recover, id)
        if not fine then
            trouble = { err = 'job ' .. id .. ': ' .. result }
        elseif result then
            recovered[#recovered + 1] = id
        end
    end
    recovered[#recovered + 1] = trouble
    return recovered
end

if call('EXISTS', q['stalled-check']) == 1 then
    return {}
end
local marked = call('SMEMBERS', q.stalled)
local active = call('LRANGE', q.active, 0, -1)
call('SET', q['stalled-check'], now, 'PX', interval)
trim_events(q)
local recovered = recover_all(marked)

local function mark_anew()
    if #marked > 0 then
        call('DEL', q.stalled)
    end
    active = #recovered > 0 and call('LRANGE', q.active, 0, -1) or active
    for first = 1, #active, BATCH do
        call('SADD', q.stalled, unpack(active, first, math.min(first + BATCH - 1, #active)))
    end
end

local fine, why = attempt(mark_anew)
if not fine then
    recovered[#recovered + 1] = { err = why }
end
return recovered
