-- Deduplication keys when their job ends. lib/spec/bullmq.md §3.6, §5.3 steps 8 and 9
--- include "parent"
--- include "store"

-- SETD: de:<id> names the job from now on.
local function set_dedup(key, id, ttl, keep_last)
    if ttl > 0 and not keep_last then
        call('SET', key, id, 'PX', ttl)
    else
        call('SET', key, id)
    end
end

-- A key with a running TTL stays until it expires.
local function release_dedup(q, dedup_id, id)
    local key = q.base .. 'de:' .. dedup_id
    local ttl = call('PTTL', key)
    if ttl == 0 or (ttl == -1 and call('GET', key) == id) then
        call('DEL', key)
    end
end

-- The next job that keepLastIfActive has parked is added now.
local function requeue_parked(q, dedup_id, now)
    local parked_key = q.base .. 'dn:' .. dedup_id
    local f = call('HMGET', parked_key, 'name', 'data', 'opts', 'jid', 'pk', 'pd', 'pdk', 'rjk')
    if not f[1] then
        return
    end
    local counter = call('INCR', q.id)
    local id = f[4] and f[4] ~= '' and f[4] or string.format('%.0f', counter)
    local opts = decode_object(f[3]) or {}
    local dedup = type(opts.de) == 'table' and opts.de or {}
    local delay, priority = number_or_zero(opts.delay), number_or_zero(opts.priority)

    set_dedup(q.base .. 'de:' .. dedup_id, id, number_or_zero(dedup.ttl),
              dedup.keepLastIfActive)
    store_job(q, id, {
        name = f[1], data = f[2] or '{}', opts = f[3] or '{}', timestamp = now,
        delay = delay, priority = priority, parent_key = f[5], parent = f[6], rjk = f[8],
        deid = dedup_id
    })
    if delay ~= 0 then
        to_delayed(q, id, now, delay)
    else
        if priority > 0 then
            to_prioritized(q, id, priority)
        else
            to_wait(q, id, opts.lifo and 'RPUSH' or 'LPUSH')
        end
        emit_trimmed(q, 'waiting', 'jobId', id)
    end
    if f[7] and f[7] ~= '' then
        call('SADD', f[7], q.base .. id)
    end
    call('DEL', parked_key)
end
