--[[ read_schedulers: job schedulers and their hashes. lib/spec/bullmq.md §9.4. A member without a hash is
what a removal cut short has left: it is removed, unless it looks like a legacy repeatable.

KEYS  1 base
ARGV  1 scheduler id, '': a range of them  2 first  3 last  4 '1': the latest first
Result  a list of {id, next run (ms), flat list of fields and values}; one whose hash cannot be read is left
        out, unless there is no other: then the error ]]
--- keys 1
--- include "queue"

local q = queue_at(KEYS[1])
local found
if ARGV[1] ~= '' then
    local at = call('ZSCORE', q['repeat'], ARGV[1])
    found = at and { ARGV[1], at } or {}
else
    found = call(ARGV[4] == '1' and 'ZREVRANGE' or 'ZRANGE', q['repeat'], ARGV[2], ARGV[3], 'WITHSCORES')
end

local result, unreadable = {}, nil
for i = 1, #found, 2 do
    local fields = redis.pcall('HGETALL', q['repeat'] .. ':' .. found[i])
    local _, colons = found[i]:gsub(':', '')
    if fields.err then
        unreadable = fields
    elseif #fields > 0 then
        result[#result + 1] = { found[i], string.format('%.0f', tonumber(found[i + 1])), fields }
    elseif colons < 4 then
        redis.pcall('ZREM', q['repeat'], found[i]) -- a reader may not be allowed to
    end
end
return #result == 0 and unreadable or result
