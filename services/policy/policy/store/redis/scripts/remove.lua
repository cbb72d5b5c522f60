-- Removes a lock or an exemption. No times.
-- KEYS  1 revision  2 changes  3 locks or exemptions  4 locks:expiry, for a lock
-- ARGV  1 changes kept, about  2 subject  3 kind of the change
-- Returns the revision; 0: there was none.
if redis.call('HDEL', KEYS[3], ARGV[2]) == 0 then
  return 0
end
if KEYS[4] then
  redis.call('ZREM', KEYS[4], ARGV[2])
end
return announce(KEYS[1], KEYS[2], ARGV[1], ARGV[3], ARGV[2])
