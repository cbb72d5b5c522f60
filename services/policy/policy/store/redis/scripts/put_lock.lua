-- Puts a lock on a subject. Times are Unix milliseconds; an expiry of 0 is never.
-- KEYS  1 revision  2 changes  3 locks  4 locks:expiry
-- ARGV  1 changes kept, about  2 subject  3 expiry  4 lock, JSON
--       5 "put": take the place of the lock that is there;
--         "lengthen": leave it there if it holds at least as long
-- Returns {revision, lock in force as JSON}; revision 0: nothing changed.
local subject, expiry = ARGV[2], tonumber(ARGV[3])
local present = redis.call('HGET', KEYS[3], subject)

if present and ARGV[5] == 'lengthen' then
  local until_then = redis.call('ZSCORE', KEYS[4], subject)
  if not until_then or (expiry > 0 and expiry <= tonumber(until_then)) then
    return { 0, present }
  end
end
redis.call('HSET', KEYS[3], subject, ARGV[4])
if expiry > 0 then
  redis.call('ZADD', KEYS[4], ARGV[3], subject)
else
  redis.call('ZREM', KEYS[4], subject)
end
return { announce(KEYS[1], KEYS[2], ARGV[1], 'lock', ARGV[4]), ARGV[4] }
