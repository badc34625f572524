-- Writes a new job's hash and tells of it. lib/spec/bullmq.md §3.2 step 6
--- include "queue"

-- job: name, data, opts, timestamp, delay, priority, and where they apply parent_key, parent, rjk, deid
local function store_job(q, id, job)
    local fields = {
        'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.timestamp,
        'delay', job.delay, 'priority', job.priority
    }
    local function add(name, value)
        if value and value ~= '' then
            fields[#fields + 1] = name
            fields[#fields + 1] = value
        end
    end
    if job.parent_key and job.parent_key ~= '' then
        add('parentKey', job.parent_key)
        add('parent', job.parent)
    end
    add('rjk', job.rjk)
    add('deid', job.deid)
    call('HSET', q.base .. id, unpack(fields))
    emit(q, 'added', 'jobId', id, 'name', job.name)
end
