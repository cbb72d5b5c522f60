-- KEYS  1 turn
-- ARGV  1 whose it was
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
