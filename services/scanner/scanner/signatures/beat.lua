-- A replica says whether it serves, and hears how many others of its group do.
-- KEYS  1 serving: ZSET, replica to the moment by which it must say so again (ms, Redis's clock)
-- ARGV  1 replica   2 milliseconds it is believed   3 '1' when it serves
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[3] == '1' then
  redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2] * 2)
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
local others = redis.call('ZCARD', KEYS[1])
if ARGV[3] == '1' then
  others = others - 1
end
return others
