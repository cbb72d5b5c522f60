-- Says of networks whose they are. Times are Unix milliseconds; an expiry of 0 is never.
-- Takes the place of what was said before.
-- KEYS  1 revision  2 changes  3 identities  4 identities:expiry
-- ARGV  1 changes kept, about  2 networks at most in the table
--       then three a network: network, expiry, record (JSON)
-- Returns the revision; 0: the table is full, and nothing was put.
local new = 0
for index = 3, #ARGV, 3 do
  new = new + 1 - redis.call('HEXISTS', KEYS[3], ARGV[index])
end
if new > 0 and redis.call('HLEN', KEYS[3]) + new > tonumber(ARGV[2]) then
  return 0
end

local records = {}
for index = 3, #ARGV, 3 do
  local network, expiry, record = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  redis.call('HSET', KEYS[3], network, record)
  if expiry == '0' then
    redis.call('ZREM', KEYS[4], network)
  else
    redis.call('ZADD', KEYS[4], expiry, network)
  end
  records[#records + 1] = record
end
return announce(KEYS[1], KEYS[2], ARGV[1], 'identities', '[' .. table.concat(records, ',') .. ']')
