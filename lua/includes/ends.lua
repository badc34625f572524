-- Ends of attempts that are not just a completion. lib/spec/bullmq.md §§5.3, 5.6–5.8
--
-- For lua/settle.lua, inside includes/rare.lua: `at` is where an item begins in ARGV, and `f` what was read
-- of its job: name, atm, parentKey, deid, priority.
--
-- Each of these is a unit: rare().attempt() runs it. What retention removes beside it is none of it.
--- include "dedup"

local q = queue_at(BASE)

-- -4 and -9 for a job that wants to complete, or what Redis says to the question; 0 otherwise.
local function check_children(job)
    local pending = raw_try('SCARD', job .. ':dependencies')
    local unsuccessful = raw_try('ZCARD', job .. ':unsuccessful')
    if failed_reply(pending) or failed_reply(unsuccessful) then
        return failed_reply(pending) and pending or unsuccessful
    end
    return pending > 0 and -4 or unsuccessful > 0 and -9 or 0
end

-- SET_FIELDS of a failed attempt, whose flag stands at ARGV[at].
local function write_failure(job, at)
    if ARGV[at] == '1' then
        call('HSET', job, 'failedReason', ARGV[at + 1], 'stacktrace', ARGV[at + 2])
        if ARGV[at + 3] ~= '' then
            call('HSET', job, 'tm', ARGV[at + 3])
        end
    end
end

-- -3 comes to light only after the fields were written (Appendix A.4, 7).
local function write_refused(job, at)
    local kind = ARGV[at]
    if kind == 'F' then
        write_failure(job, at + 4)
    elseif kind == 'R' or kind == 'D' then
        write_failure(job, at + 3)
    end
end

-- Deduplication and parent. §5.3 steps 8–10
local function settle_bonds(target, id, job, f, value)
    local parent_key, deid = f[3], f[4]
    if deid then
        release_dedup(q, deid, id)
        requeue_parked(q, deid, now)
    end
    local parent = parent_key and parent_of(parent_key, call('HGET', job, 'parent'))
    if parent and target == 'completed' then
        child_completed(parent, job, value, now)
    elseif parent then
        child_failed(parent, job, value, now)
    end
end

-- Step 12 of §5.3 for a job that is not kept.
local function discard(job, parent_key)
    local keys = {}
    for i, suffix in ipairs(retention().subkeys) do
        keys[i] = job .. suffix
    end
    call_delete(keys)
    if parent_key then
        unlink(job, parent_key)
    end
end

local function retain(set, keep, times)
    local unit = notes
    notes = nil
    retention().retain(set, keep, times)
    notes = unit
end

-- Completed, with a parent, a deduplication id or nothing to be kept; `keep` as in complete(). §5.3
local function complete_bound(id, job, f, value, keep)
    settle_bonds('completed', id, job, f, value)
    if keep and ARGV[keep] == '0' then
        discard(job, f[3])
    else
        local made = f[2] and (tonumber(f[2]) or 0) + 1 or '1'
        call('HSET', job, 'atm', made, 'returnvalue', value, 'finishedOn', now_text)
        call('ZADD', q.completed, now_text, id)
        if keep and item_count == 1 then
            retain(q.completed, keep, 1)
        end
    end
    emit(q, 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
end

-- Finally failed. §5.3
local function fail(id, job, f, at)
    local reason, keep = ARGV[at + 3], at + 9
    local made = (tonumber(f[2]) or 0) + 1
    settle_bonds('failed', id, job, f, reason)
    if ARGV[keep] == '0' then
        discard(job, f[3])
    else
        write_failure(job, at + 4)
        call('HSET', job, 'atm', made, 'failedReason', reason, 'finishedOn', now_text)
        call('HDEL', job, 'defa')
        call('ZADD', q.failed, now_text, id)
        retain(q.failed, keep, 1)
    end
    emit(q, 'failed', 'jobId', id, 'failedReason', reason, 'prev', 'active')
    if made >= tonumber(ARGV[at + 8]) then
        emit(q, 'retries-exhausted', 'jobId', id, 'attemptsMade', made)
    end
end

-- §5.6
local function retry(id, job, f, at)
    local priority = number_or_zero(f[5])
    write_failure(job, at + 3)
    if priority == 0 then
        to_wait(q, id, ARGV[at + 7] == '1' and 'RPUSH' or 'LPUSH')
    else
        to_prioritized(q, id, priority)
    end
    call('HINCRBY', job, 'atm', 1)
    emit_trimmed(q, 'waiting', 'jobId', id, 'prev', 'active')
end

-- §5.7; where jobs are wanted in exchange the marker waits for what is taken.
local function delay(id, job, at)
    write_failure(job, at + 3)
    if ARGV[at + 7] == '1' then
        call('HINCRBY', job, 'atm', 1)
    elseif ARGV[at + 7] == '-' and call('HINCRBY', job, 'ats', -1) <= 0 then
        call('HDEL', job, 'ats')
    end
    call('HSET', job, 'delay', ARGV[at + 8])
    add_delayed(q, id, now, tonumber(ARGV[at + 8]))
    if want == 0 then
        signal_delay(q)
    end
end

-- §5.8: not being in `active` is no error here.
local function put_back(id, f)
    if call('LREM', q.active, 1, id) == 0 then
        return
    end
    local priority = number_or_zero(f[5])
    if priority > 0 then
        to_prioritized_front(q, id, priority)
    else
        to_wait(q, id, 'RPUSH')
    end
    emit_trimmed(q, 'waiting', 'jobId', id, 'prev', 'active')
end
