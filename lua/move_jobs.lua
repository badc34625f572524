--[[ move_jobs: retries or promotes many jobs: all go to the head of `wait`, whatever their priority.
lib/spec/bullmq.md §7.3 retryJobs and promoteJobs, BMQ-131. An id without a job is dropped, unless strict
(A.4, 6).

KEYS  1 base
ARGV  1 failed, completed or delayed  2 jobs at most  3 the latest score  4 '1': strict
      5 '5': as BullMQ 5.x, which links no child to its parent again; '6': as 6.x
Result  1 there may be more, 0 done. A job that cannot be moved stays; only such ones left is an error. ]]
--- keys 1
--- include "enqueue"
--- include "relink"

local BATCH = 7000
local q = queue_at(KEYS[1])
local state, most, latest = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local strict, line = ARGV[4] == '1', ARGV[5]

local function prepare(id)
    if state ~= 'delayed' then
        forget_outcome(q.base .. id, state)
        if line ~= '5' then
            relink(q, id, state)
        end
    end
    emit_trimmed(q, 'waiting', 'jobId', id, 'prev', state)
end

return all_or_nothing(function()
    local found = call('ZRANGEBYSCORE', q[state], 0, latest, 'LIMIT', 0, most)
    if #found == 0 then
        return 0
    end
    local moved, gone, stays
    moved, gone = {}, {}
    for _, id in ipairs(found) do
        if strict or call('EXISTS', q.base .. id) == 1 then
            local fine, why = attempt(prepare, id)
            if fine then
                moved[#moved + 1], gone[#gone + 1] = id, id
            else
                stays = why
            end
        else
            gone[#gone + 1] = id
        end
    end
    if #gone == 0 then
        error(stays, 0)
    end
    for first = 1, #gone, BATCH do
        call('ZREM', q[state], unpack(gone, first, math.min(first + BATCH - 1, #gone)))
    end
    for first = 1, #moved, BATCH do
        call('LPUSH', push_list(q), unpack(moved, first, math.min(first + BATCH - 1, #moved)))
    end
    signal(q)
    return (#found == most or stays) and 1 or 0
end)
