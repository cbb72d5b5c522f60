-- A new session asks for a lease. Times are Unix milliseconds, the length is milliseconds.
-- KEYS  1 leases  2 sessions:opened  3 sessions  4 leases:source:<counted source>
--       5 leases:destination:<address>  6 leases:identity:<identity>, if the session has one
-- ARGV  1 now or 0  2 length  3 cap in total  4 cap per source  5 per destination
--       6 per identity (0: none)  7 session id  8 began at (0: now)  9 record, JSON
-- Returns 0 granted, 1 the cap in total is reached, 2 the cap per source, 3 per destination,
-- 4 per identity.
local now, length = moment(ARGV[1]), tonumber(ARGV[2])
local total, id = tonumber(ARGV[3]), ARGV[7]

forget_expired_leases(KEYS[1], KEYS[2], KEYS[3], now)
shorten_leases_of_the_future(KEYS[1], now, length)

local held = redis.call('ZSCORE', KEYS[1], id)
if not (held and tonumber(held) > now) then
  if total > 0 and redis.call('ZCOUNT', KEYS[1], '(' .. whole(now), '+inf') >= total then
    return 1
  end
  for counted = 4, #KEYS do
    local cap = tonumber(ARGV[counted])
    redis.call('ZREMRANGEBYSCORE', KEYS[counted], '-inf', whole(now))
    shorten_leases_of_the_future(KEYS[counted], now, length)
    if cap > 0 and redis.call('ZCARD', KEYS[counted]) >= cap then
      return counted - 2
    end
  end
end
hold(KEYS[1], KEYS[2], KEYS[3], { unpack(KEYS, 4) }, now, length, id, ARGV[8], ARGV[9])
return 0
