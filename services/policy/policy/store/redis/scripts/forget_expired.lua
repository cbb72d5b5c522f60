-- Removes locks, identities or overrides whose time is over. Times are Unix milliseconds.
-- At most 1000 at once. Nobody is told: everybody who knows such an entry knows its expiry.
-- KEYS  1 locks, identities or overrides  2 locks:expiry, identities:expiry or overrides:expiry
-- ARGV  1 now or 0
-- Returns how many they were.
local now = whole(moment(ARGV[1]))
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 1000)
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
return #gone
