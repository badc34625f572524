--[[ adopt: finds jobs that were taken by a call whose reply never came: they are in `active`, locked with
a token of ours, and we do not know them. Their locks are set anew, so that they can be run.

KEYS  1 base  2 active  3 stalled
ARGV  1 token prefix  2 lock duration (ms), then the ids we know
Result  the jobs (includes/job_reply.lua) ]]
--- keys 3
--- include "journal"
--- include "job_reply"

local base, active, stalled = KEYS[1], KEYS[2], KEYS[3]
local prefix, duration = ARGV[1], ARGV[2]
local BATCH = 1000

local known = {}
for i = 3, #ARGV do
    known[ARGV[i]] = true
end

local function adopt(id, token, jobs)
    local job = base .. id
    local fields, started = read_job(job)
    if not fields and started then -- it cannot be read: left to the stalled check
        return
    end
    if not fields then -- a ghost: nothing to run
        call('LREM', active, 1, id)
        call('DEL', job .. ':lock')
        return
    end
    call('SET', job .. ':lock', token, 'PX', duration)
    call('SREM', stalled, id)
    fields[#fields + 1] = ':id'
    fields[#fields + 1] = id
    fields[#fields + 1] = ':token'
    fields[#fields + 1] = token
    jobs[#jobs + 1] = fields
end

local jobs = {}
local ids = call('LRANGE', active, 0, -1)
for first = 1, #ids, BATCH do
    local keys = {}
    local last = math.min(first + BATCH - 1, #ids)
    for i = first, last do
        keys[#keys + 1] = base .. ids[i] .. ':lock'
    end
    for n, token in ipairs(call('MGET', unpack(keys))) do
        local id = ids[first + n - 1]
        if token and token:sub(1, #prefix) == prefix and not known[id] then
            known[id] = true
            attempt(adopt, id, token, jobs) -- what cannot be adopted stays in `active`
        end
    end
end
return jobs
