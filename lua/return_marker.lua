--[[ return_marker: a marker was popped for a queue that cannot take now; puts it back for others, unless
a newer one is there already. Spec §4.1

KEYS  1 marker
ARGV  1 member  2 score
Result  1 put back, 0 not ]]
--- keys 1

return redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
