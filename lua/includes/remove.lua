-- Removal of jobs. §0 DEL_JOB

local SUBKEYS = { '', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful' }
local DEL_BATCH = 1000 -- jobs; unpack() ends near 8000 values

-- DEL_JOB for many
local function delete_jobs(base, ids)
    for first = 1, #ids, DEL_BATCH do
        local keys = {}
        for i = first, math.min(first + DEL_BATCH - 1, #ids) do
            local job = base .. ids[i]
            for _, suffix in ipairs(SUBKEYS) do
                keys[#keys + 1] = job .. suffix
            end
        end
        redis.call('DEL', unpack(keys))
    end
end
