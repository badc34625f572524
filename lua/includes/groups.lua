-- Ordered groups: jobs of one group run one at a time, or a few, in the order in which they are taken.
-- lua/README.md, "Ordered groups", tells what is kept where.
--
-- open_groups() comes first. `now` is there, a number.
--- include "queue"

local call = unit_call
local MAX_DATA = 1048576 -- bytes of job data that are looked into
local MAX_NAME = 64      -- of a group; a longer one goes by its digest
local RELEASE_MAX = 1000 -- ids looked at for one group at a time

local groups
local released = {} -- ids that leave their groups' lines, as they come

-- "a.b+c|d" as a list of alternatives: lists of parts, each the steps of a path.
local function read_paths(text)
    local alternatives = {}
    for alternative in text:gmatch('[^|%s]+') do
        local parts = {}
        for part in alternative:gmatch('[^+]+') do
            local path = {}
            for step in part:gmatch('[^.]+') do
                path[#path + 1] = step
            end
            parts[#parts + 1] = path
        end
        alternatives[#alternatives + 1] = parts
    end
    return alternatives
end

-- The settings stand at ARGV[at]: concurrency, rate's max ('0': none), rate's duration, strict, paths.
local function open_groups(q, at)
    local prefix, name = q.base:match('^(.*):([^:]*):$')
    local own = prefix .. '::bulwark:' .. name .. ':groups:'
    groups = {
        q = q,
        own = own,
        running = own .. 'running',
        busy = own .. 'busy',
        parked = own .. 'parked',
        concurrency = tonumber(ARGV[at]),
        rate_max = tonumber(ARGV[at + 1]),
        rate_duration = tonumber(ARGV[at + 2]),
        strict = ARGV[at + 3] == '1',
        paths = read_paths(ARGV[at + 4]),
        busy_of = {} -- read once a call
    }
end

local function line_of(g)
    return groups.own .. 'line:' .. g
end

local function rate_of(g)
    return groups.own .. 'rate:' .. g
end

local function value_at(value, path)
    for _, step in ipairs(path) do
        if type(value) ~= 'table' then
            return nil
        end
        local inner = value[step]
        if inner == nil and step:find('^%d+$') then -- an element of a list
            inner = value[tonumber(step) + 1]
        end
        value = inner
    end
    return value
end

-- Ids are numbers here and texts there: both name the same group. Chat ids need all their digits.
local function text_of(value)
    if type(value) == 'number' then
        local whole = value == math.floor(value) and math.abs(value) < 2 ^ 53
        return string.format(whole and '%.0f' or '%.17g', value)
    end
    return type(value) == 'string' and value ~= '' and value or nil
end

-- What stands at all of these paths; nil: one leads nowhere.
local function name_at(data, parts)
    local texts = {}
    for i, path in ipairs(parts) do
        texts[i] = text_of(value_at(data, path))
        if not texts[i] then
            return nil
        end
    end
    local name = table.concat(texts, '+')
    return #name <= MAX_NAME and name or redis.sha1hex(name)
end

-- The group of a job; nil: none, it runs freely.
local function group_of(id)
    local f = redis.pcall('HMGET', groups.q.base .. id, 'data', 'name')
    local data = f[1]
    if f.err or not data or not f[2] or #data > MAX_DATA then
        return nil
    end
    local is_json, decoded = pcall(cjson.decode, data)
    for _, parts in ipairs(is_json and groups.paths or {}) do
        local name = name_at(decoded, parts)
        if name then
            return name
        end
    end
    return nil
end

local function busy_of(g)
    local busy = groups.busy_of[g]
    if not busy then
        busy = tonumber(call('HGET', groups.busy, g)) or 0
        groups.busy_of[g] = busy
    end
    return busy
end

-- 0: the group may start a job now; else when (ms), math.huge: when another of it ends.
local function free_at(g)
    if busy_of(g) >= groups.concurrency then
        return math.huge
    end
    if groups.rate_max > 0 and (tonumber(call('GET', rate_of(g))) or 0) >= groups.rate_max then
        local left = call('PTTL', rate_of(g))
        if left > 0 then
            return now + left
        end
        call('DEL', rate_of(g))
    end
    return 0
end

-- The job has a place of its group from now on, whether it runs already or is the next to be taken.
local function enter_group(id, g)
    call('HSET', groups.running, id, g)
    groups.busy_of[g] = busy_of(g) + 1
    call('HINCRBY', groups.busy, g, 1)
    if groups.rate_max > 0 and call('INCR', rate_of(g)) == 1 then
        call('PEXPIRE', rate_of(g), groups.rate_duration)
    end
end

local function leave_group(id, g)
    local busy = busy_of(g) - 1
    call('HDEL', groups.running, id)
    groups.busy_of[g] = math.max(busy, 0)
    if busy > 0 then
        call('HINCRBY', groups.busy, g, -1)
    else
        call('HDEL', groups.busy, g)
    end
end

local function score_text(at)
    return at == math.huge and 'inf' or string.format('%.0f', at)
end

-- Lets the next jobs of a group's line go, as many as may start. Who was removed meanwhile, or moved on
-- without us, is passed over.
local function release_line(g)
    local line = line_of(g)
    local at = free_at(g)
    local passed = 0
    while at == 0 and passed < RELEASE_MAX do
        local id = call('ZRANGE', line, 0, 0)[1]
        if not id then
            call('ZREM', groups.parked, g)
            return
        end
        call('ZREM', line, id)
        if call('ZREM', groups.q['waiting-children'], id) == 1 and
           call('EXISTS', groups.q.base .. id) == 1 then
            enter_group(id, g)
            released[#released + 1] = id
            at = free_at(g)
        else
            passed = passed + 1
        end
    end
    if call('EXISTS', line) == 0 then
        call('ZREM', groups.parked, g)
    else -- more to pass over: at once, in the next call
        call('ZADD', groups.parked, score_text(at == 0 and now or at), g)
    end
end

-- Lines whose time has come: a rate's window has ended.
local function release_due()
    for _, g in ipairs(call('ZRANGEBYSCORE', groups.parked, '-inf', now, 'LIMIT', 0, 100)) do
        release_line(g)
    end
end

-- When the next line's time comes (ms); 0: none waits for a time.
local function next_line_due()
    local first = call('ZRANGE', groups.parked, 0, 0, 'WITHSCORES')
    local at = tonumber(first[2])
    return at and at < math.huge and at or 0
end

-- What was released goes to the end of `wait` that is taken from, the first of it last.
local function send_released()
    local q, count = groups.q, #released
    if count == 0 then
        return
    end
    for i = count, 1, -1 do
        call('RPUSH', push_list(q), released[i])
    end
    for i = 1, count do
        emit(q, 'waiting', 'jobId', released[i], 'prev', 'waiting-children')
    end
    released = {}
    signal(q)
end

local function park(id, g)
    local q = groups.q
    if not call('ZSCORE', line_of(g), id) then
        call('ZADD', line_of(g), call('INCR', groups.own .. 'seq'), id)
    end
    call('ZADD', groups.parked, 'NX', score_text(free_at(g)), g)
    call('ZADD', q['waiting-children'], now, id)
    emit(q, 'waiting-children', 'jobId', id, 'prev', 'waiting')
end

-- A popped id: may it run? Else it stands in its group's line from now on. `place`: the group in which
-- it has one already, as one that was let out of the line has, or one that is given back by a stalled check.
local function start_or_park(id, place)
    local g = group_of(id)
    if place and place ~= g then -- its data was changed, or another job has its id now
        leave_group(id, place)
        release_line(place)
        place = nil
    end
    if place or not g then
        return true
    end
    if call('ZSCORE', groups.parked, g) then
        release_line(g)
        if call('ZSCORE', groups.parked, g) then
            park(id, g)
            return false
        end
    end
    if free_at(g) > 0 then
        park(id, g)
        return false
    end
    enter_group(id, g)
    return true
end

-- These jobs gave up their places.
local function end_in_groups(ids)
    local names, seen = {}, {}
    local places = #ids > 0 and call('HMGET', groups.running, unpack(ids)) or {}
    for i = 1, #ids do
        local g = places[i]
        if g then
            leave_group(ids[i], g)
            if not seen[g] then
                seen[g] = true
                names[#names + 1] = g
            end
        end
    end
    for _, g in ipairs(names) do
        if call('ZSCORE', groups.parked, g) then
            release_line(g)
        end
    end
end
