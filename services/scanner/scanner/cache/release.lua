-- Gives a claim back, so that nobody waits for it any longer.
-- KEYS  1 verdict
-- ARGV  1 the claim
-- Returns 1 when it was still there, else 0.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
