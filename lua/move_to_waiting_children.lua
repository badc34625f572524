--[[ move_to_waiting_children: a running job waits for its children. lib/spec/bullmq.md §8.2

KEYS  1 base
ARGV  1 id  2 token  3 key of the child to wait for, '': for all  4 now (ms)
      5 '1': an earlier call may have done it, so the lock has to be ours before anything else counts
Result  0 it waits now, 1 nothing to wait for; -1, -2, -3, -6, -9 ]]
--- keys 1
--- include "queue"

local MISSING, NO_LOCK, NOT_ACTIVE, OTHER_LOCK, FAILED_CHILD = -1, -2, -3, -6, -9
local q = queue_at(KEYS[1])
local id, token, child, now, unsure = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local job = q.base .. id

local function check_lock()
    local lock = call('GET', job .. ':lock')
    if lock == token then
        return 0
    end
    return lock and OTHER_LOCK or NO_LOCK
end

local function has_to_wait()
    if child ~= '' then
        return call('SISMEMBER', job .. ':dependencies', child) == 1
    end
    return call('SCARD', job .. ':dependencies') > 0
end

return all_or_nothing(function()
    if call('EXISTS', job) == 0 then
        return MISSING
    end
    local code = check_lock()
    if unsure and code ~= 0 then
        return code
    end
    if call('ZCARD', job .. ':unsuccessful') > 0 then
        return FAILED_CHILD
    end
    if not has_to_wait() then
        return 1
    end
    if code ~= 0 then
        return code
    end
    call('DEL', job .. ':lock')
    call('SREM', q.stalled, id)
    if call('LREM', q.active, -1, id) == 0 then
        return NOT_ACTIVE
    end
    call('ZADD', q['waiting-children'], now, id)
    emit(q, 'waiting-children', 'jobId', id, 'prev', 'active')
    return 0
end)
