-- What is known of one content, or the right to find out. Times are milliseconds.
-- KEYS  1 verdict
-- ARGV  1 claim to leave when nothing is known   2 its length   3 octets of a value at most
-- Returns the value (statements, or somebody's claim) and the time it has left, -1: without end;
-- nothing when the claim is ours. What is no string, or too long, was not written by us: it goes.
local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'number' and size > 0 and size <= tonumber(ARGV[3]) then
  return { redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]) }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {}
