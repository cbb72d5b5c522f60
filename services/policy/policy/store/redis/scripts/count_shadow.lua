-- Counts what a rule in shadow would have done, for its day: per rule, and per subject of the rule. No times.
-- KEYS  1 shadows:<day>: HASH rule -> times  2 shadows:<day>:<rule>: HASH subject -> times
-- ARGV  1 rule  2 subject  3 times  4 most rules  5 most subjects  6 life in ms
-- Returns 1. Beyond the bounds it is counted under the empty name.
local function count(key, name, most)
  if redis.call('HEXISTS', key, name) == 0 and redis.call('HLEN', key) >= tonumber(most) then
    name = ''
  end
  redis.call('HINCRBY', key, name, ARGV[3])
  redis.call('PEXPIRE', key, ARGV[6])
  return name
end
if count(KEYS[1], ARGV[1], ARGV[4]) ~= '' then
  count(KEYS[2], ARGV[2], ARGV[5])
end
return 1
