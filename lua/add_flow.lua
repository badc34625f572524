--[[ add_flow: adds a tree of jobs in one step, parents before their children. lib/spec/bullmq.md §8.1

KEYS  1 base of the root's queue
ARGV  1 now (ms)  2 '5': as BullMQ 5.x, '6': as 6.x  3 number of nodes; then of each: base of its queue,
      and the job: includes/insert.lua. Level by level, the root first.
Result  the root's: its id, or that of the job it duplicates; -5 parent missing, -7 another parent's job

A node that is refused leaves the others alone, as in BullMQ. Parents whose children are all done are
released when the whole tree is there, unless a child could not be attached to them. ]]
--- keys 1
--- include "insert"

local NODE_ARGS = JOB_ARGS + 1
local now, line, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local deferred = line ~= 5 -- 5.x releases while it inserts
local parents, parent_json = {}, {}
local result

-- KEYS[1] is the first node's base: named as a key for a cluster's sake.
assert(ARGV[4] == KEYS[1], 'the root is of another queue')
return all_or_nothing(function()
    for n = 1, count do
        local at = 4 + (n - 1) * NODE_ARGS
        local add = read_job_args(at + 1)
        local code = insert_job(queue_at(ARGV[at]), add, now, deferred, line)

        result = result or code
        if add.parent_key ~= '' and not parent_json[add.parent_key] then
            parents[#parents + 1] = add.parent_key
            parent_json[add.parent_key] = add.parent
        end
    end
    for _, key in ipairs(deferred and parents or {}) do
        if call('HDEL', key, 'flowAttachmentFailed') == 0 then
            release_if_done(parent_of(key, parent_json[key]), now)
        end
    end
    return result
end)
