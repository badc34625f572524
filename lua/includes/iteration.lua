-- The iterations of job schedulers. lib/spec/bullmq.md §§9.2, 9.3
--- include "enqueue"
--- include "store"

local function whole(number)
    return string.format('%.0f', number)
end

-- EVERY_NEXT. `prev`, `start`: nil for none. Returns the next slot and the offset of its phase.
local function every_next(prev, every, now, offset, start)
    local next
    local slot = math.floor(now / every) * every + offset
    if prev then
        next = prev + every
        if next < now then -- missed slots are not made up for
            next = slot > now and slot or slot + every
        end
    elseif start then
        next = math.max(start, now)
    elseif offset > 0 then
        next = slot > now and slot or slot + every
    else
        next = now
    end
    if offset == 0 then
        offset = next - math.floor(next / every) * every
    end
    return next, offset
end

-- Stores and enqueues the iteration of `sid` at `at`. it: id_prefix, quoted_sid (as JSON; nil for a legacy
-- repeatable), opts (JSON without its last brace), prev_millis (whether opts say it), name, data, priority,
-- push. Returns id and delay.
local function add_iteration(q, sid, at, now, it)
    local id = it.id_prefix .. whole(at)
    local delay = math.max(at - now, 0)
    local opts = it.opts .. ',"delay":' .. whole(delay) .. ',"jobId":"'
    if it.quoted_sid then
        opts = opts .. 'repeat:' .. it.quoted_sid:sub(2, -2) .. ':' .. whole(at) .. '","repeatJobKey":' ..
                   it.quoted_sid
    else
        opts = opts .. id .. '"'
    end
    if it.prev_millis then
        opts = opts .. ',"prevMillis":' .. whole(at)
    end
    call('INCR', q.id)
    store_job(q, id, {
        name = it.name, data = it.data, opts = opts .. '}', timestamp = now, delay = delay,
        priority = it.priority, rjk = sid
    })
    if delay > 0 then
        to_delayed(q, id, now, delay)
    else
        if it.priority > 0 then
            to_prioritized(q, id, it.priority)
        else
            to_wait(q, id, it.push)
        end
        emit_trimmed(q, 'waiting', 'jobId', id)
    end
    return id, delay
end
