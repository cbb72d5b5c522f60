-- The right to take a daemon out, of one replica of a group at a time; or some more time for it.
-- KEYS  1 turn
-- ARGV  1 who asks   2 milliseconds until it ends by itself
-- Returns 1 when the turn is his, else 0.
local whose = redis.call('GET', KEYS[1])
if whose and whose ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
