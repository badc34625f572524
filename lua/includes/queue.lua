-- A queue by its base "P:Q:": its keys, and what its `meta` hash says. Parents may live in another
-- queue than the one the script was called for, so the shared parts take the queue as a table.
--- include "journal"

-- q.wait, q['waiting-children'] …: the key of that suffix, made when it is first asked for.
local key_of_suffix = {
    __index = function(q, suffix)
        local key = q.base .. suffix
        q[suffix] = key
        return key
    end
}

local queues = {}
local metas = {}

local function queue_at(base)
    local q = queues[base]
    if not q then
        q = setmetatable({ base = base }, key_of_suffix)
        queues[base] = q
    end
    return q
end

-- What `meta` says, read once a call. lib/spec/bullmq.md §10.5
local function meta_of(q)
    local meta = metas[q.base]
    if not meta then
        local f = call('HMGET', q.meta, 'paused', 'concurrency', 'opts.maxLenEvents', 'version')
        meta = {
            paused = f[1],
            concurrency = tonumber(f[2]),
            max_events = f[3],
            version = f[4] or ''
        }
        metas[q.base] = meta
    end
    return meta
end

-- BLOCKED(), §0
local function blocked(q)
    local meta = meta_of(q)
    if meta.paused then
        return true
    end
    return meta.concurrency ~= nil and call('LLEN', q.active) >= meta.concurrency
end

-- SIGNAL(b), §0
local function signal(q)
    if not blocked(q) then
        call('ZADD', q.marker, 0, '0')
    end
end

-- MAXEV(), §0
local function max_events(q)
    local meta = meta_of(q)
    if not meta.max_events then
        raw_call('HSET', q.meta, 'opts.maxLenEvents', '10000') -- stays, whatever becomes of the unit
        meta.max_events = '10000'
    end
    return meta.max_events
end

-- '5' or '6': as that line lays out a paused queue; anything else: found out. Set by scripts that are told.
local pause_layout = ''

-- The list that takes the role of `wait` for pushes: `paused` while a queue is paused that clients
-- of the 5.x line share. Appendix A.3, pauseLayout.
local function push_list(q)
    local meta = meta_of(q)
    if not meta.paused or pause_layout == '6' then
        return q.wait
    end
    if pause_layout == '5' then
        return q.paused
    end
    if not meta.push_list then
        local shared = meta.version:find('^[^:]*:5%.') or call('EXISTS', q.paused) == 1
        meta.push_list = shared and q.paused or q.wait
    end
    return meta.push_list
end

-- EMIT, EMIT~ and TRIM, §0
local function emit(q, ...)
    call('XADD', q.events, '*', 'event', ...)
end

local function emit_trimmed(q, ...)
    call('XADD', q.events, 'MAXLEN', '~', max_events(q), '*', 'event', ...)
end

local function trim_events(q)
    call('XTRIM', q.events, 'MAXLEN', '~', max_events(q))
end
