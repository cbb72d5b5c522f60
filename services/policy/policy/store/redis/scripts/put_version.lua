-- Puts a rulebook in force if the expected one is stored; keeps old texts. Times are Unix milliseconds.
-- Times are Unix milliseconds.
-- KEYS  1 revision  2 changes  3 audit  4 rulebook  5 rulebook:documents  6 rulebook:versions
-- ARGV  1 changes kept, about  2 audit entries kept, about  3 versions kept
--       4 expected version  5 version  6 document  7 change, JSON  8 who, JSON
-- Returns the revision; 0: another version is stored.
local stored = redis.call('HGET', KEYS[4], 'version') or '0'
if stored ~= ARGV[4] then
  return 0
end
if stored ~= '0' and redis.call('HEXISTS', KEYS[5], stored) == 0 then
  redis.call('HSET', KEYS[5], stored, redis.call('HGET', KEYS[4], 'document'))
end
redis.call('HSET', KEYS[4], 'version', ARGV[5], 'document', ARGV[6])
redis.call('HSET', KEYS[5], ARGV[5], ARGV[6])
redis.call('HSET', KEYS[6], ARGV[5], ARGV[8])
local oldest = tonumber(ARGV[5]) - tonumber(ARGV[3])
if oldest > 0 then
  redis.call('HDEL', KEYS[5], whole(oldest))
  redis.call('HDEL', KEYS[6], whole(oldest))
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*',
  'area', 'rulebook', 'subject', 'rulebook', 'by', ARGV[8], 'before', stored, 'after', ARGV[5])
return announce(KEYS[1], KEYS[2], ARGV[1], 'rulebook', ARGV[7])
