-- Takes a subject's points away and writes down who did it. Times are Unix milliseconds.
-- KEYS  1 points:<subject>: HASH points, at  2 points: ZSET subject -> when nothing is left
--       3 audit
-- ARGV  1 subject  2 audit entries kept, about  3 area  4 who, JSON
-- Returns 1, or 0 where there were none.
local held = redis.call('HMGET', KEYS[1], 'points', 'at')
redis.call('ZREM', KEYS[2], ARGV[1])
if not held[1] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'area', ARGV[3], 'subject', ARGV[1],
  'by', ARGV[4], 'before', '{"points":' .. held[1] .. ',"at_ms":' .. held[2] .. '}', 'after', '')
return 1
