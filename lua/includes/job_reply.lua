-- A job as the scripts give it to a worker: a flat list of field, value, field, value … Decoded by
-- bw_job_data_decode() (lib/queue/job.c). First come the fields of the hash as HGETALL gives them;
-- then ":id" and ":token", and the fields the script has just written. A later value replaces an
-- earlier one of the same field.

-- The hash of a job that can be run, the attempts started so far, nil for none, and whether its failure is
-- already decided (`defa`). nil for a ghost: an id without a hash, or with one that has no name. nil and what
-- Redis says where the key cannot be read.
local function read_job(key)
    local fields = redis.pcall('HGETALL', key)
    local name, started, deferred
    if fields.err then
        return nil, fields.err
    end
    for i = 1, #fields, 2 do
        local field = fields[i]
        if field == 'name' then
            name = true
        elseif field == 'ats' then
            started = tonumber(fields[i + 1])
        elseif field == 'defa' then
            deferred = true
        end
    end
    if not name then
        return nil
    end
    return fields, started, deferred
end
