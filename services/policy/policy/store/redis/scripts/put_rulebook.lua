-- Stores a rulebook if the stored one is still the expected one. No times.
-- KEYS  1 revision  2 changes  3 rulebook
-- ARGV  1 changes kept, about  2 expected version (0: none stored)  3 version  4 document
--       5 change, JSON
-- Returns the revision; 0: another version is stored.
local stored = redis.call('HGET', KEYS[3], 'version') or '0'
if stored ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[3], 'version', ARGV[3], 'document', ARGV[4])
return announce(KEYS[1], KEYS[2], ARGV[1], 'rulebook', ARGV[5])
