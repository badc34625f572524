--[[ get_flow: a job and what hangs on it, parents before their children. lib/spec/bullmq.md §8.1, getFlow

KEYS  1 base
ARGV  1 id  2 levels, the job's included  3 most children of a kind (processed, unprocessed, failed, ignored)
Result  of each job that exists: its level from 1 on, its key, its hash as a flat list. Children follow
        their parent. Nothing when there is no such job. ]]
--- keys 1

local call = redis.call
local depth, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local out, seen = {}, {}

local function visit_all(visit, keys, level)
    for i = 1, math.min(#keys, most) do
        visit(keys[i], level)
    end
end

local function visit(key, level)
    if seen[key] then -- a ring, made by hand
        return
    end
    seen[key] = true
    local fields = call('HGETALL', key)
    if #fields == 0 then
        return
    end
    out[#out + 1] = { level, key, fields }
    if level == depth then
        return
    end
    visit_all(visit, call('HKEYS', key .. ':processed'), level + 1)
    visit_all(visit, call('SMEMBERS', key .. ':dependencies'), level + 1)
    visit_all(visit, call('ZRANGE', key .. ':unsuccessful', 0, -1), level + 1)
    visit_all(visit, call('HKEYS', key .. ':failed'), level + 1)
end

visit(KEYS[1] .. ARGV[1], 1)
return out
