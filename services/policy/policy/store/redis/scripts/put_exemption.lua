-- Puts an exemption on a subject, in the place of one that is there. No times.
-- KEYS  1 revision  2 changes  3 exemptions
-- ARGV  1 changes kept, about  2 subject  3 exemption, JSON
-- Returns the revision.
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
return announce(KEYS[1], KEYS[2], ARGV[1], 'exemption', ARGV[3])
