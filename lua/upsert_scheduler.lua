--[[ upsert_scheduler: makes or changes a job scheduler and its pending iteration. lib/spec/bullmq.md §9.2

KEYS  1 base
ARGV  1 now (ms)  2 scheduler id  3 every (ms), '': a pattern  4 next run of the pattern (ms), '': every
      5 offset (ms), 0: none  6 start (ms), '': none  7 iteration's name  8 its data (JSON)
      9 its opts (JSON without the last brace)  10 the scheduler id as JSON
      11 priority  12 LPUSH or RPUSH
      13 '1': while paused look for the pending iteration as the reference does (A.4, 2)
      14… fields and values of the scheduler's hash, but for offset and ic
Result  {iteration's id, its delay (ms)}; -10 the iteration exists already, -11 so do 33 of them ]]
--- keys 1
--- include "iteration"
--- include "remove"

local q = queue_at(KEYS[1])
local now, sid = tonumber(ARGV[1]), ARGV[2]
local every, next = tonumber(ARGV[3]), tonumber(ARGV[4])
local offset, start = tonumber(ARGV[5]), tonumber(ARGV[6])
local strict = ARGV[13] == '1'

local SLOT_TAKEN, NO_SLOT, MAX_STEPS = -10, -11, 32

local hash = q['repeat'] .. ':' .. sid
local id_prefix = 'repeat:' .. sid .. ':'

-- Where the pending iteration may wait; the reference looks in one list only.
local function take_out(id)
    if call('ZREM', q.delayed, id) == 1 or call('ZREM', q.prioritized, id) == 1 then
        return true
    end
    if strict then
        return call('LREM', meta_of(q).paused and q.paused or q.wait, 0, id) > 0
    end
    return call('LREM', q.wait, 0, id) + call('LREM', q.paused, 0, id) > 0
end

local function remove_pending(id)
    local job = q.base .. id
    if call('EXISTS', job) == 0 or not take_out(id) then
        return false
    end
    local dedup_id = call('HGET', job, 'deid')
    if dedup_id and call('GET', q.base .. 'de:' .. dedup_id) == id then
        call('DEL', q.base .. 'de:' .. dedup_id, q.base .. 'dn:' .. dedup_id)
    end
    local keys = {}
    for i, suffix in ipairs(SUBKEYS) do
        keys[i] = job .. suffix
    end
    call('DEL', unpack(keys)) -- at once: its id may come again
    return true
end

local function is_taken(at)
    return call('EXISTS', q.base .. id_prefix .. whole(at)) == 1
end

return all_or_nothing(function()
    max_events(q)
    local prev = tonumber(call('ZSCORE', q['repeat'], sid))
    local stored = call('HMGET', hash, 'every', 'offset', 'ic')
    local stored_every, stored_offset = tonumber(stored[1]), tonumber(stored[2])
    local same_every = every ~= nil and stored_every == every
    local new_offset = offset
    if every then
        local base = same_every and prev or nil
        next, new_offset = every_next(base, every, now, offset, start)
    end

    local removed = prev ~= nil and remove_pending(id_prefix .. whole(prev))
    local keep_offset = new_offset
    if removed then
        keep_offset = offset ~= 0 and offset or stored_offset or 0
        if same_every then
            next = prev
        end
    end
    if every then
        local steps = 0
        while is_taken(next) do
            if steps == MAX_STEPS then
                return NO_SLOT
            end
            next, steps = next + every, steps + 1
        end
    elseif not removed and is_taken(next) then
        return SLOT_TAKEN
    end

    local fields = {}
    for i = 14, #ARGV do
        fields[#fields + 1] = ARGV[i]
    end
    call('DEL', hash)
    call('HSET', hash, 'ic', stored[3] or '1', 'offset', whole(keep_offset), unpack(fields))
    call('ZADD', q['repeat'], next, sid)
    local id, delay = add_iteration(q, sid, next, now, {
        id_prefix = id_prefix, quoted_sid = ARGV[10], opts = ARGV[9], prev_millis = every == nil,
        name = ARGV[7], data = ARGV[8], priority = number_or_zero(ARGV[11]), push = ARGV[12]
    })
    return { id, delay }
end)
