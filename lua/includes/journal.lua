-- Nothing half done. Redis keeps what a script wrote before an error, so a unit of work remembers how to take
-- each of its writes back: attempt() runs one, and an error in its midst takes them back, last first.
-- lua/README.md, "Nothing half done".

local raw_call, raw_try = redis.call, redis.pcall
local notes -- of the unit under way: for each write the ways to take it back, the best first; nil: no unit
local doomed = {} -- keys that go when the unit has succeeded: what is deleted is not made up again
local VALUES = 4000 -- unpack() ends near 8000

local function failed_reply(reply)
    return type(reply) == 'table' and reply.err ~= nil
end

-- What the server said, without where the script was.
local function plain(text)
    text = tostring(text):gsub('^.*user_script: ?%d+: ?', ''):gsub('^%-', '')
    return text:find('^%u+ ') and text or 'ERR ' .. text
end

-- The server as a whole refuses to write, which it does at a script's first write only: nothing is done.
local TRANSIENT = {
    OOM = true, MISCONF = true, READONLY = true, NOREPLICAS = true, MASTERDOWN = true, BUSY = true,
    LOADING = true, CLUSTERDOWN = true
}

local function is_transient(text)
    return TRANSIENT[text:match('^%u+')] ~= nil
end

local function note(...)
    notes[#notes + 1] = { ... }
end

-- A question that a unit has to ask, with a second command where the first is refused.
local function ask(command, other, key, ...)
    local reply = raw_try(command, key, ...)
    return failed_reply(reply) and raw_try(other, key, ...) or reply
end

-- Pieces of a long list as the arguments of one command each, or of another.
local function note_pieces(values, command, other, key)
    for first = 1, #values, VALUES do
        local way, second = { command, key }, other and { other, key }
        for i = first, math.min(first + VALUES - 1, #values) do
            way[#way + 1] = values[i]
            if second then
                second[#second + 1] = values[i]
            end
        end
        note(way, second)
    end
end

local function add_to_scores(key, pieces)
    return function()
        for i = 1, #pieces, 2 do
            if not raw_try('ZSCORE', key, pieces[i + 1]) then
                raw_try('ZINCRBY', key, pieces[i], pieces[i + 1])
            end
        end
        return true
    end
end

-- The members of a reply WITHSCORES as those of ZADD.
local function note_scored(key, found)
    for first = 1, #found, VALUES do
        local way, pieces = { 'ZADD', key }, {}
        for i = first, math.min(first + VALUES - 1, #found), 2 do
            way[#way + 1], way[#way + 2] = found[i + 1], found[i]
            pieces[#pieces + 1], pieces[#pieces + 2] = found[i + 1], found[i]
        end
        note(way, add_to_scores(key, pieces))
    end
end

local function note_fields(key, fields)
    local old = raw_try('HMGET', key, unpack(fields))
    if failed_reply(old) then
        old = {}
        for i, field in ipairs(fields) do
            old[i] = raw_try('HGET', key, field)
            if failed_reply(old[i]) then
                return
            end
        end
    end
    local back, gone = { 'HSET', key }, { 'HDEL', key }
    for i, field in ipairs(fields) do
        if old[i] then
            back[#back + 1], back[#back + 2] = field, old[i]
        else
            gone[#gone + 1] = field
        end
    end
    if #back > 2 then
        note(back, { 'HMSET', unpack(back, 2) })
    elseif raw_try('EXISTS', key) == 0 then
        note({ 'DEL', key }, { 'UNLINK', key }, gone)
        return
    end
    if #gone > 2 then
        note(gone)
    end
end

local function note_string(key)
    local old = ask('GET', 'MGET', key)
    old = type(old) == 'table' and old[1] or old
    if not old then
        note({ 'DEL', key }, { 'UNLINK', key })
    elseif type(old) == 'string' then
        local ttl = raw_try('PTTL', key)
        if type(ttl) == 'number' and ttl > 0 then
            note({ 'SET', key, old, 'PX', ttl }, { 'PSETEX', key, ttl, old })
        else
            note({ 'SET', key, old }, { 'GETSET', key, old })
        end
    end
end

local function note_key(key)
    local kind = raw_try('TYPE', key).ok
    if kind == 'string' then
        note_string(key)
    elseif kind == 'hash' then
        note_pieces(raw_try('HGETALL', key), 'HSET', 'HMSET', key)
    elseif kind == 'list' then
        note_pieces(raw_try('LRANGE', key, 0, -1), 'RPUSH', nil, key)
    elseif kind == 'set' then
        note_pieces(raw_try('SMEMBERS', key), 'SADD', nil, key)
    elseif kind == 'zset' then
        note_scored(key, raw_try('ZRANGE', key, 0, -1, 'WITHSCORES'))
    end
end

local function remove_by_rank(key, member)
    return function()
        local rank = raw_try('ZRANK', key, member)
        return type(rank) == 'number' and raw_try('ZREMRANGEBYRANK', key, rank, rank) or { err = '' }
    end
end

local function note_zset(key, member)
    local score = ask('ZSCORE', 'ZMSCORE', key, member)
    if type(score) == 'table' and not score.err then
        score = score[1]
    end
    if score and not failed_reply(score) then
        note({ 'ZADD', key, score, member }, { 'ZINCRBY', key, score, member })
    elseif not score then
        note({ 'ZREM', key, member }, remove_by_rank(key, member))
    end
end

local function note_set(key, members)
    for _, member in ipairs(members) do
        local is_in = ask('SISMEMBER', 'SMISMEMBER', key, member)
        if not failed_reply(is_in) then
            is_in = type(is_in) == 'table' and is_in[1] or is_in
            note({ is_in == 1 and 'SADD' or 'SREM', key, member })
        end
    end
end

-- Into its old place, if whoever stood beside it is still there.
local function note_list_place(key, count, value)
    local at = raw_try('LPOS', key, value, 'RANK', tonumber(count) < 0 and -1 or 1)
    local before = type(at) == 'number' and at > 0 and raw_try('LINDEX', key, at - 1)
    local function insert()
        if type(before) ~= 'string' then
            return raw_try('LPUSH', key, value)
        end
        local length = raw_try('LINSERT', key, 'AFTER', before, value)
        return type(length) == 'number' and length > 0 and length or { err = '' }
    end
    note(insert, { 'RPUSH', key, value }, { 'LPUSH', key, value })
end

local function note_trim(key, first, last)
    local head = first > 0 and raw_try('LRANGE', key, 0, first - 1) or {}
    local tail = last < -1 and raw_try('LRANGE', key, last + 1, -1) or {}
    local turned = {}
    for i = #head, 1, -1 do
        turned[#turned + 1] = head[i]
    end
    note_pieces(turned, 'LPUSH', 'RPUSH', key)
    note_pieces(tail, 'RPUSH', 'LPUSH', key)
end

-- Nothing is taken out that could not be put back: asked where the server can tell (7.0), once a key.
local ADDS = { L = { 'LPUSH', 'RPUSH' }, R = { 'RPUSH', 'LPUSH' }, Z = { 'ZADD', 'ZINCRBY' } }
local may_return = {}

local function check_return(command, key)
    if may_return[key] or not redis.acl_check_cmd then
        return
    end
    local kind = command:sub(1, 1)
    local values = kind == 'Z' and { '0', 'x' } or { 'x' }
    for _, add in ipairs(ADDS[kind]) do
        if redis.acl_check_cmd(add, key, unpack(values)) then
            may_return[key] = true
            return
        end
    end
    error('NOPERM no permission to put back what is taken out of ' .. key, 0)
end

-- What a command that takes out or changes is about to destroy.
local function remember(command, key, ...)
    if command == 'HSET' then
        local fields = {}
        for i = 1, select('#', ...), 2 do
            fields[#fields + 1] = (select(i, ...))
        end
        note_fields(key, fields)
    elseif command == 'HDEL' then
        note_fields(key, { ... })
    elseif command == 'HINCRBY' then
        note_fields(key, { (...) })
    elseif command == 'ZADD' then -- a marker too many does no harm
        if key:sub(-7) ~= ':marker' then
            note_zset(key, (select(select('#', ...), ...)))
        end
    elseif command == 'ZREM' then
        check_return(command, key)
        for _, member in ipairs({ ... }) do
            note_zset(key, member)
        end
    elseif command == 'ZREMRANGEBYRANK' then
        check_return(command, key)
        note_scored(key, raw_try('ZRANGE', key, (...), (select(2, ...)), 'WITHSCORES'))
    elseif command == 'SADD' or command == 'SREM' then
        note_set(key, { ... })
    elseif command == 'LREM' then
        check_return(command, key)
        note_list_place(key, ...)
    elseif command == 'LTRIM' then
        check_return(command, key)
        note_trim(key, tonumber((...)), tonumber((select(2, ...))))
    elseif command == 'LPUSH' or command == 'RPUSH' then
        local from = command == 'LPUSH' and 1 or -1
        for _, value in ipairs({ ... }) do
            note({ 'LREM', key, from, value }, { from == 1 and 'LPOP' or 'RPOP', key })
        end
    elseif command == 'SET' then
        note_string(key)
    elseif command == 'DEL' then
        for _, name in ipairs({ key, ... }) do
            note_key(name)
        end
    elseif command == 'PERSIST' or command == 'PEXPIRE' then
        local ttl = raw_try('PTTL', key)
        note(type(ttl) == 'number' and ttl > 0 and { 'PEXPIRE', key, ttl } or { 'PERSIST', key })
    elseif command == 'RENAME' then
        note({ 'RENAME', (...), key })
    end
end

local POPS = { LPOP = 'LPUSH', RPOP = 'RPUSH', ZPOPMIN = 'Z', ZPOPMAX = 'Z' }

-- What only the reply tells.
local function remember_reply(command, key, reply)
    if command == 'XADD' then
        note({ 'XDEL', key, reply })
    elseif POPS[command] == 'Z' then
        note_scored(key, reply)
    elseif POPS[command] and reply then
        local turned = {}
        for _, value in ipairs(type(reply) == 'table' and reply or { reply }) do
            table.insert(turned, 1, value)
        end
        note_pieces(turned, POPS[command], POPS[command] == 'LPUSH' and 'RPUSH' or 'LPUSH', key)
    end
end

local function forget(mark)
    for n = #notes, mark + 1, -1 do
        notes[n] = nil
    end
end

-- redis.call, for all that a unit may write.
local function call(command, key, ...)
    if not notes then
        return raw_call(command, key, ...)
    end
    local mark = #notes
    if POPS[command] then
        check_return(command, key)
    else
        remember(command, key, ...)
    end
    local reply = raw_try(command, key, ...)
    if failed_reply(reply) then
        forget(mark)
        error(reply.err, 0)
    end
    if command == 'LREM' and reply == 0 then
        forget(mark)
    end
    remember_reply(command, key, reply)
    return reply
end

local unit_call = call

local function undo_from(mark)
    for n = #notes, mark + 1, -1 do
        for _, way in ipairs(notes[n]) do
            local reply = type(way) == 'function' and way() or raw_try(unpack(way))
            if not failed_reply(reply) then
                break
            end
        end
        notes[n] = nil
    end
end

-- DEL of jobs: within a unit the last thing that happens.
local function call_delete(keys)
    if not notes then
        return raw_call('DEL', unpack(keys))
    end
    local count = raw_call('EXISTS', unpack(keys))
    for i = 1, #keys do
        doomed[#doomed + 1] = keys[i]
    end
    return count
end

local function delete_doomed()
    for first = 1, #doomed, VALUES do
        raw_call('DEL', unpack(doomed, first, math.min(first + VALUES - 1, #doomed)))
    end
    doomed = {}
end

-- Runs a unit: true and its result; or false and what went wrong, when nothing of it is left. What the server
-- as a whole refuses is no unit's fault, and goes on as an error.
local function attempt(work, ...)
    local outer = notes
    local mark, doomed_mark = outer and #outer or 0, #doomed
    notes = outer or {}
    local fine, result = pcall(work, ...)
    if fine and not outer and doomed[1] then
        local gone, why = pcall(delete_doomed)
        fine, result = gone, gone and result or why
    end
    if not fine then
        undo_from(mark)
        for i = #doomed, doomed_mark + 1, -1 do
            doomed[i] = nil
        end
        result = plain(result)
    end
    notes = outer
    if not fine and is_transient(result) then
        error('-' .. result, 0)
    end
    return fine, result
end

-- A script that is one unit: its reply.
local function all_or_nothing(work)
    local raised, fine, result = pcall(attempt, work)
    if raised and fine then
        return result
    end
    return { err = plain(raised and result or fine) }
end
