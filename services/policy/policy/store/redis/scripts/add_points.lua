-- Adds penalty points to what is left of a subject's. Times are Unix milliseconds.
-- KEYS  1 points:<subject>: HASH points, at  2 points: ZSET subject -> when nothing is left
-- ARGV  1 now or 0  2 points to add  3 half-life in ms  4 most points  5 subject
-- Returns what the subject has now, as text.
local now, half_life = moment(ARGV[1]), tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[1], 'points', 'at')
local points, at = tonumber(held[1] or '0'), tonumber(held[2] or whole(now))
local left = points * 0.5 ^ (math.max(0, now - at) / half_life)
local sum = string.format('%.6f', math.min(tonumber(ARGV[4]), left + tonumber(ARGV[2])))
redis.call('HSET', KEYS[1], 'points', sum, 'at', whole(math.max(now, at)))
-- After so many half-lives a million points are less than one.
redis.call('PEXPIRE', KEYS[1], whole(20 * half_life))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now))
redis.call('ZADD', KEYS[2], whole(now + 20 * half_life), ARGV[5])
return sum
