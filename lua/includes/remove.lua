-- Removal of jobs. lib/spec/bullmq.md §0 DEL_JOB. Where it is put in, call_delete() deletes keys and tells
-- how many there were.

local SUBKEYS = { '', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful' }
local DEL_BATCH = 1000 -- jobs; unpack() ends near 8000 values

-- DEL_JOB for many; returns how many keys there were.
local function delete_jobs(base, ids)
    local deleted = 0
    for first = 1, #ids, DEL_BATCH do
        local keys = {}
        for i = first, math.min(first + DEL_BATCH - 1, #ids) do
            local job = base .. ids[i]
            for _, suffix in ipairs(SUBKEYS) do
                keys[#keys + 1] = job .. suffix
            end
        end
        deleted = deleted + call_delete(keys)
    end
    return deleted
end
