-- A new session asks for a lease. Times are Unix milliseconds, the length is milliseconds.
-- KEYS  1 leases  2 sessions:opened  3 sessions  4 leases:source:<counted source>
-- ARGV  1 now or 0  2 length  3 cap in total  4 cap per source (0: none)
--       5 session id  6 began at (0: now)  7 record, JSON
-- Returns 0 granted, 1 the cap in total is reached, 2 the cap per source is reached.
local now, length = moment(ARGV[1]), tonumber(ARGV[2])
local total, per_source, id = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]

forget_expired_leases(KEYS[1], KEYS[2], KEYS[3], now)
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', whole(now))

local held = redis.call('ZSCORE', KEYS[1], id)
if not (held and tonumber(held) > now) then
  if total > 0 and redis.call('ZCOUNT', KEYS[1], '(' .. whole(now), '+inf') >= total then
    return 1
  end
  if per_source > 0 and redis.call('ZCARD', KEYS[4]) >= per_source then
    return 2
  end
end
hold(KEYS[1], KEYS[2], KEYS[3], KEYS[4], now, length, id, ARGV[6], ARGV[7])
return 0
