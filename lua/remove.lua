--[[ remove: removes a job, with the jobs it waits for and those it waited for. lib/spec/bullmq.md §7.2

A job whose id has colons is found in its queue by the base key; of its relatives only what follows the last
colon counts as the id, as in BullMQ (§1.1).

KEYS  1 base
ARGV  1 id  2 '1': its children too
Result  1 removed, or there was none; 0 it, or a child, is locked; -8 the current iteration of a scheduler ]]
--- keys 1
--- include "remove_job"

local SCHEDULED = -8
local q = queue_at(KEYS[1])
local id, children = ARGV[1], ARGV[2] == '1'
local job = q.base .. id

local seen = {}

local function any_locked(key)
    if seen[key] then
        return false
    end
    seen[key] = true
    if call('EXISTS', key .. ':lock') == 1 then
        return true
    end
    for _, child in ipairs(children and call('SMEMBERS', key .. ':dependencies') or {}) do
        if any_locked(child) then
            return true
        end
    end
    return false
end

return all_or_nothing(function()
    local scheduler = call('HGET', job, 'rjk')
    local at = scheduler and call('ZSCORE', q['repeat'], scheduler)
    if at and id == 'repeat:' .. scheduler .. ':' .. string.format('%.0f', tonumber(at)) then
        return SCHEDULED
    end
    if any_locked(job) then
        return 0
    end
    local skip = children and {} or nil
    remove_tree(job, nil, skip, q, id)
    return 1
end)
