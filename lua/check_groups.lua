--[[ check_groups: keeps the books of ordered groups right: forgets the places of jobs that ended without us,
and lets go who may start. Without a path the queue has groups no more: whoever stands in a line goes back
to `wait`.

KEYS  1 base
ARGV  1 now (ms)  2 interval (ms): within it the books are checked once
      3 layout while paused: 5, 6, 0: found out
      4 number of ids that may have left `active` otherwise than by settle, then the ids, then the settings as
      in settle_grouped
Result  0 done, 1 more to do at once, 2 more to do, later ]]
--- keys 1

local now = tonumber(ARGV[1])
--- include "groups"

local DONE, AT_ONCE, LATER = 0, 1, 2
local BATCH = 1000
local q = queue_at(KEYS[1])
local ended_count = tonumber(ARGV[4])
pause_layout = ARGV[3]
open_groups(q, 5 + ended_count)

local check = groups.own .. 'check'

-- A job that is not active and yet has a place: it waits to be taken, as the next of its group.
local function is_waiting(id)
    if call('EXISTS', q.base .. id) == 0 then
        return false
    end
    for _, state in ipairs({ 'completed', 'failed', 'waiting-children' }) do
        if call('ZSCORE', q[state], id) then
            return false
        end
    end
    return groups.strict or not call('ZSCORE', q.delayed, id)
end

local function repair()
    local active = {}
    for _, id in ipairs(call('LRANGE', q.active, 0, -1)) do
        active[id] = true
    end
    local running = call('HGETALL', groups.running)
    local busy = {}
    for i = 1, #running, 2 do
        local id, g = running[i], running[i + 1]
        if active[id] or is_waiting(id) then
            busy[g] = (busy[g] or 0) + 1
        else
            call('HDEL', groups.running, id)
        end
    end
    call('DEL', groups.busy)
    for g, count in pairs(busy) do
        call('HSET', groups.busy, g, count)
    end
    groups.busy_of = setmetatable(busy, {
        __index = function()
            return 0
        end
    })
end

-- A line that waits for another's end although no other has a place.
local function release_forgotten()
    for _, g in ipairs(call('ZRANGE', groups.parked, 0, -1)) do
        if groups.busy_of[g] < groups.concurrency then
            release_line(g)
        end
    end
end

-- The last of a line goes first, since each is put before those that went earlier.
local function dissolve()
    local left = BATCH
    while left > 0 do
        local g = call('ZRANGE', groups.parked, 0, 0)[1]
        if not g then
            call('DEL', groups.running, groups.busy, groups.own .. 'seq')
            return DONE
        end
        local ids = call('ZPOPMAX', line_of(g), left)
        for i = 1, #ids, 2 do
            left = left - 1
            if call('ZREM', q['waiting-children'], ids[i]) == 1 then
                released[#released + 1] = ids[i]
            end
        end
        if call('EXISTS', line_of(g)) == 0 then
            call('ZREM', groups.parked, g)
        end
    end
    return AT_ONCE
end

-- dissolve() gives them in the order in which they are to be pushed; send_released() wants the reverse.
local function reverse(list)
    local turned = {}
    for i = #list, 1, -1 do
        turned[#turned + 1] = list[i]
    end
    return turned
end

return all_or_nothing(function()
    if #groups.paths == 0 then
        if call('EXISTS', groups.parked, groups.running) == 0 then
            return DONE
        end
        if call('EXISTS', check) == 1 then -- others still keep groups
            return LATER
        end
        local result = dissolve()
        released = reverse(released)
        send_released()
        return result
    end

    local ended = {}
    for i = 5, 4 + ended_count do
        if not call('LPOS', q.active, ARGV[i]) and not is_waiting(ARGV[i]) then
            ended[#ended + 1] = ARGV[i]
        end
    end
    end_in_groups(ended)
    local interval, last = tonumber(ARGV[2]), tonumber(call('GET', check))
    if not last or now - last >= 0.9 * interval then -- a timer may be a little early
        call('SET', check, ARGV[1], 'PX', 2 * interval)
        repair()
        release_forgotten()
    end
    send_released()
    return DONE
end)
